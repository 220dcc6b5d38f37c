"""Descriptions of components, for ``mcbench show`` and for the reference pages."""

from __future__ import annotations

import inspect
import re
from dataclasses import asdict
from typing import Any, Literal, get_args, get_origin

from mcbench.methods import method
from mcbench.plugins import parameters
from mcbench.plugins.host import Provided, host


def describe(kind: str, provided: Provided) -> dict[str, Any]:
    """Everything that a component declares, as JSON."""
    component, plugin = provided.component, provided.plugin
    return {
        "kind": kind,
        "name": component.name,
        "summary": method.summary(component),
        "from": f"{plugin.distribution} {plugin.version}",
        "reference": component.reference,
        "needs": sorted(method.needs(component)) if kind == "method" else [],
        **(asdict(method.traits(component)) if kind == "method" else {}),
        "unit": component.unit if kind == "metric" else "",
        "better": component.better if kind == "metric" else "",
        "parameters": [
            {
                "name": p.name,
                "type": type_text(p.type),
                "default": parameters.value_text(p.default),
                "help": p.help,
                **({"one of": host().names(p.part)} if p.part else {}),
            }
            for p in parameters.parameters(component).values()
        ],
        "description": _description(component),
    }


def _description(component: Any) -> str:
    """A component's own description, or its docstring with the documented parameters only."""
    text = inspect.cleandoc(component.description or type(component).__doc__ or "")
    section = re.search(r"(?m)^Arguments:\n((?:(?: +.*)?(?:\n|\Z))+)", text)
    if not section:
        return text
    items = re.split(r"(?m)^(?= {4}\w)", section[1].rstrip() + "\n")
    names = {*parameters.parameters(component)}
    kept = "".join(
        item for item in items if names & {n.strip() for n in item.partition(":")[0].split(",")}
    )
    arguments = f"Arguments:\n{kept}\n" if kept else ""
    return (text[: section.start()] + arguments + text[section.end() :]).strip()


def type_text(hint: Any) -> str:
    """A parameter's type as text; allowed values as ``a | b``."""
    if get_origin(hint) is tuple and get_args(hint)[1:] == (...,):
        return f"({type_text(get_args(hint)[0])}, ...)"
    if get_origin(hint) is Literal:
        return " | ".join(map(str, get_args(hint)))
    return getattr(hint, "__name__", str(hint)) if not get_args(hint) else str(hint)
