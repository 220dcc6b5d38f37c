"""What a component may declare, and what holds where it does not.

The host completes every component by its kind's row when a plugin yields it. From then on each of
these attributes is there to be read, and its default stands here alone. A component is a plain
class and inherits nothing.
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
"""What a component of any kind may declare, with the defaults; see ``docs/plugins.md``."""

OPTIONAL: dict[str, dict[str, Any]] = {
    "architecture": {"loss": "cross-entropy"},
    "dataset": {"recipe": "quick", "layout": "", "download": None},
    "method": {
        "needs": frozenset(),
        "explicit": None,
        "learnable": None,
        "baseline": False,
        "route": "",
        "use": "",
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
"""What a component may declare besides, by kind. ``None`` stands for a method it does not have."""

_ABSENT = object()


def complete(kind: str, component: Any) -> None:
    """Give ``component`` the defaults of what it does not declare.

    Of a dataclass it is the class that is given them: copies with other parameters need them too.
    """
    owner = type(component) if _shared(component) else component
    for name, default in (EVERY | OPTIONAL.get(kind, {})).items():
        if not _declares(component, name):
            setattr(owner, name, default)


def _shared(component: Any) -> bool:
    """Whether its class has to keep what is set: it is copied, or has no place of its own."""
    return is_dataclass(component) or not hasattr(component, "__dict__")


def _declares(component: Any, name: str) -> bool:
    """Whether it has the attribute; a property is not computed for that."""
    return inspect.getattr_static(component, name, _ABSENT) is not _ABSENT or hasattr(
        component, name
    )
