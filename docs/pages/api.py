"""The page of the public names, from `mcbench.__all__`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import mcbench
from docs.pages import text

INTRODUCTION = """# Python interface

All public names of `mcbench`: plugins import nothing else of it. `Path` stands for `mcbench.Path`.
"""


def page() -> str:
    """All public names, in order."""
    return "\n\n".join([INTRODUCTION, *map(section, mcbench.__all__)])


def section(name: str) -> str:
    """One name: how it is called, its docstring, and of a class what it offers."""
    thing = getattr(mcbench, name)
    parts = [f"## {name}"]
    # What a plugin's class has to have is not made by calling it.
    described = getattr(thing, "_is_protocol", False)
    if (inspect.isclass(thing) and not described) or inspect.isfunction(thing):
        parts.append(text.fenced(f"{name}{signature(thing)}", "python"))
    if inspect.isclass(thing) or inspect.isroutine(thing):
        parts.append(text.docstring(inspect.getdoc(thing) or ""))
    elif isinstance(thing, type(mcbench.hookimpl)):
        parts.append("Marks a function of a plugin as the implementation of a hook.")
    else:
        parts.append(text.fenced(f"{name} = {annotation(thing)}", "python"))
    if inspect.isclass(thing):
        parts += members(name, thing)
    return "\n\n".join(parts)


def signature(thing: Any) -> str:
    """Arguments and result, with the annotations as they were written."""
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):
        return ""
    if inspect.isclass(thing):
        found = found.replace(return_annotation=inspect.Signature.empty)
    shown = [_argument(p) for name, p in found.parameters.items() if name != "self"]
    result = found.return_annotation
    arrow = "" if result is inspect.Signature.empty else f" -> {annotation(result)}"
    return f"({', '.join(shown)}){arrow}"


def _argument(parameter: inspect.Parameter) -> str:
    """An argument; annotations that are kept as text stand there without quotes."""
    hint = parameter.annotation
    text_hint = repr(hint) if isinstance(hint, str) else ""
    return str(parameter).replace(text_hint, str(hint)) if text_hint else str(parameter)


def annotation(hint: Any) -> str:
    """A type as it was written."""
    return hint if isinstance(hint, str) else inspect.formatannotation(hint)


def members(owner: str, thing: type) -> Iterator[str]:
    """The public methods and properties that the class documents itself."""
    for name, member in vars(thing).items():
        function = getattr(member, "fget", None) or getattr(member, "func", None)
        called = getattr(member, "__func__", member)
        if name.startswith("_") or not inspect.getdoc(member):
            continue
        if function is not None:
            yield f"### {owner}.{name}\n\n{text.docstring(inspect.getdoc(member) or '')}"
        elif inspect.isfunction(called):
            shown = text.fenced(f"{name}{signature(called)}", "python")
            yield f"### {owner}.{name}()\n\n{shown}\n\n{text.docstring(called.__doc__ or '')}"
