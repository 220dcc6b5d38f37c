"""Optional attributes of components, by kind, and their defaults.

The host completes every component that a plugin yields: afterwards it has all attributes of its
kind, and defaults are declared only here. A component is a plain class and inherits nothing.
"""

from __future__ import annotations

import inspect
from dataclasses import is_dataclass
from typing import Any

EVERY: dict[str, Any] = {
    "summary": "",
    "reference": "",
    "description": "",
    "trial": {},
    "expected_failures": {},
}
"""Optional attributes of every kind, with their defaults; see ``docs/plugins.md``."""

OPTIONAL: dict[str, dict[str, Any]] = {
    "architecture": {"loss": "cross-entropy"},
    "dataset": {"recipe": "quick", "layout": "", "download": None},
    "method": {
        "needs": frozenset(),
        "explicit": None,
        "learnable": None,
        "baseline": False,
        "explores": False,
        "route": "",
        "use": "",
        "statistics": "",
        "pool": None,
        "fit": None,
        "check": None,
    },
    "matching": {"expected_path_failures": {}},
    "interpolation": {"expected_path_failures": {}},
    "adjustment": {"expected_path_failures": {}, "along": True, "several": None},
    "metric": {
        "unit": "",
        "better": "",
        "ends_only": False,
        "usual": True,
        "of_network": False,
    },
    "ensemble": {"collect": None},
}
"""Further optional attributes, by kind; ``None`` stands for a method that is not defined."""

_ABSENT = object()


def complete(kind: str, component: object) -> None:
    """Set the defaults of the optional attributes that ``component`` does not declare.

    They are set on the class of a dataclass, whose copies with other parameters need them too,
    and of an object without a ``__dict__``.
    """
    on_class = is_dataclass(component) or not hasattr(component, "__dict__")
    owner = type(component) if on_class else component
    for name, default in (EVERY | OPTIONAL.get(kind, {})).items():
        static = inspect.getattr_static(component, name, _ABSENT)  # Computes no property.
        if static is _ABSENT and not hasattr(component, name):
            setattr(owner, name, default)
