"""mcbench: the benchmarking suite for mode connectivity.

The names in ``__init__.pyi`` are the whole public interface; plugins import nothing else.
Importing this package does not import torch: a name's module is imported when it is first used.
"""

import lazy_loader

from mcbench.version import VERSION as __version__  # noqa: F401

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
