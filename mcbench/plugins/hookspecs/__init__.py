"""Every hook of mcbench.

A plugin is a module (or a class's instance) with functions marked ``@mcbench.hookimpl`` and named
as below. Its package names it under ``[project.entry-points.mcbench]``. An implementation may
take fewer arguments than the hook has. Provider hooks yield components: objects with a ``name``,
whose dataclass fields made with `mcbench.parameter` are what users may set.

Plugin modules are imported by every command, ``--help`` too: import torch inside functions.
"""

from mcbench.plugins.hookspecs.components import *  # noqa: F403
from mcbench.plugins.hookspecs.events import *  # noqa: F403
from mcbench.plugins.hookspecs.markers import PROJECT, hookimpl, hookspec

__all__ = ["PROJECT", "hookimpl", "hookspec"]
