"""Every hook of mcbench.

A plugin is a module (or an instance of a class) with functions marked ``@mcbench.hookimpl`` and
named as below. Its package names it under ``[project.entry-points.mcbench]``. An implementation
may take fewer arguments than the hook. Provider hooks yield components: objects with a ``name``,
whose dataclass fields made with `mcbench.parameter` can be set by users. Bodies are empty: the
signatures document the arguments.

Plugin modules are imported by every command, ``--help`` too: import torch inside functions.
"""

# In the order of the documentation.
from mcbench.plugins.hookspecs.problems import *  # noqa: F403, I001
from mcbench.plugins.hookspecs.methods import *  # noqa: F403
from mcbench.plugins.hookspecs.results import *  # noqa: F403
from mcbench.plugins.hookspecs.program import *  # noqa: F403
from mcbench.plugins.hookspecs.events import *  # noqa: F403
from mcbench.plugins.hookspecs.markers import PROJECT, hookimpl, hookspec

__all__ = ["PROJECT", "hookimpl", "hookspec"]
