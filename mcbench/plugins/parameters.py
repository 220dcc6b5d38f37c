"""Typed parameters of components, and the grammar ``name[parameter=value,...]``.

A component (a method, an architecture, a recipe, ...) is an object with a ``name``. If its class
is a dataclass, users may set the fields made with `parameter`. One grammar serves all kinds, and
values nest: ``ot-wa[matching=ot[cost=incoming]]``, ``mlp[widths=(64,32)]``.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin

from mcbench.errors import UsageError

_CLOSING = {"[": "]", "(": ")"}
LONGEST = 1000
"""The most numbers in a range: more are taken for a typing error."""


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A declared parameter; see `parameter`.

    ``default`` is the component's value, ``unset`` the default of its class: a ``later``
    parameter is in identities only if it differs from that.
    """

    name: str
    type: Any  # A type expression; values, here and below, are of any type that it names.
    default: Any
    help: str
    constraints: Mapping[str, Any]
    part: str | None = None
    later: bool = False
    unset: Any = None


def parameter(
    default: Any, help: str, *, part: str | None = None, later: bool = False, **constraints: Any
) -> Any:
    """A dataclass field that users may set.

    Arguments:
        default: The value if the user gives none.
        help: Its meaning, with its unit.
        part: The kind of component (such as ``"matching"``) that the value names, if it does.
        later: Whether it was added after results were stored, with their behaviour as its
            default: those results then stay valid.
        constraints: Bounds as pydantic takes them: ``gt``, ``ge``, ``lt``, ``le``, ``pattern``.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Net:
        ...     name = "net"
        ...     width: int = parameter(32, "hidden units", gt=0)
        >>> configure("architecture", Net(), {"width": "64"}).width
        64
    """
    declared = {"help": help, "constraints": constraints, "part": part, "later": later}
    return dataclasses.field(default=default, metadata={"parameter": declared})


def parse(text: str) -> tuple[str, dict[str, str]]:
    """Split ``name[p=v,q=w]`` into its name and its values, as text.

    Raises:
        UsageError: If brackets do not match, or a parameter has no value or is given twice.
    """
    text = text.strip()
    name, bracket, inside = text.partition("[")
    name = name.strip()
    if not name or (bracket and not inside.endswith("]")) or "]" in name:
        raise UsageError(f"cannot read '{text}': write name or name[parameter=value,...]")
    values: dict[str, str] = {}
    for item in _split(inside[:-1], text) if bracket else []:
        key, equals, value = item.partition("=")
        key = key.strip()
        if not equals or not key or not value.strip():
            raise UsageError(f"cannot read '{item.strip()}' in '{text}': write parameter=value")
        if key in values:
            raise UsageError(f"parameter '{key}' is given twice in '{text}': give it once")
        values[key] = value.strip()
    return name, values


def expand(text: str) -> list[str]:
    """One text for every number of a range: ``wa[head=1..3]`` gives ``wa[head=1]`` to 3.

    Raises:
        UsageError: If a range is empty, or longer than `LONGEST`.
    """
    match = re.search(r"=\s*(\d{1,18})\.\.(\d{1,18})\s*(?=[,\]])", text)
    if not match:
        return [text]
    first, last = map(int, match.groups())
    if first > last:
        raise UsageError(f"the range {first}..{last} in '{text}' is empty: write {last}..{first}")
    if last - first >= LONGEST:
        raise UsageError(f"the range {first}..{last} in '{text}' has more than {LONGEST} numbers")
    before, after = text[: match.start()], text[match.end() :]
    return [one for n in range(first, last + 1) for one in expand(f"{before}={n}{after}")]


def _split(text: str, whole: str) -> list[str]:
    """Split at the commas outside brackets; an error shows the ``whole`` text."""
    mismatch = UsageError(f"the brackets in '{whole}' do not match")
    items, closing = [""], list[str]()
    for character in text:
        if character == "," and not closing:
            items.append("")
            continue
        items[-1] += character
        if character in _CLOSING:
            closing.append(_CLOSING[character])
        elif character in _CLOSING.values() and (not closing or closing.pop() != character):
            raise mismatch
    if closing:
        raise mismatch
    return [item for item in items if item.strip()]


def parameters(component: object) -> dict[str, Parameter]:
    """The parameters ``component`` declares, by name."""
    if not dataclasses.is_dataclass(component):
        return {}
    return {
        field.name: Parameter(
            field.name,
            _hint(type(component), field),
            getattr(component, field.name),
            unset=field.default,
            **field.metadata["parameter"],
        )
        for field in dataclasses.fields(component)
        if "parameter" in field.metadata
    }


def _hint(owner: type, field: dataclasses.Field[Any]) -> Any:
    """The type of a field; a string annotation is evaluated in the module of its class."""
    if not isinstance(field.type, str):
        return field.type
    home = next(c for c in owner.__mro__ if field.name in vars(c).get("__annotations__", {}))
    return eval(field.type, vars(sys.modules[home.__module__]))


def configure(kind: str, component: Any, values: Mapping[str, Any]) -> Any:
    """A copy of ``component`` with ``values`` set, each validated against its declared type.

    Raises:
        UsageError: If a value is not allowed; it names the parameter, the value and the allowed.
    """
    declared = parameters(component)
    changes = {}
    for key, value in values.items():
        if key not in declared:
            allowed = ", ".join(declared) or "no parameters"
            raise UsageError(
                f"{kind} '{component.name}' has no parameter '{key}': it takes {allowed}"
            )
        owner = f"{kind} '{component.name}': parameter '{key}'"
        changes[key] = _validate(owner, declared[key], value)
    return dataclasses.replace(component, **changes) if changes else component


def _validate(owner: str, declared: Parameter, value: Any) -> Any:
    from pydantic import Field, PydanticSchemaGenerationError, TypeAdapter, ValidationError

    hint, given = declared.type, value
    if isinstance(value, str):
        value = _from_text(value, hint)
    try:
        annotated: Any = Annotated[hint, Field(**declared.constraints)]  # A type made at run time.
        adapter: TypeAdapter[Any] = TypeAdapter(annotated)
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        reason = first["msg"].lower()
        if first["type"] in ("missing", "too_long"):  # Of a tuple, its places.
            reason = f"input should have {len(get_args(hint))} entries"
        raise UsageError(f"{owner}: {reason}, not '{given}'") from None
    except (PydanticSchemaGenerationError, TypeError) as error:
        raise UsageError(f"{owner} is badly declared: {error}") from None


def _from_text(text: str, hint: Any) -> Any:
    """Sequences are written ``(64,32)``, ``[64,32]`` or, with one entry, ``64``."""
    sequence = any(get_origin(h) in (tuple, list) for h in (hint, *get_args(hint)))
    if not sequence:
        return text
    if text and text[-1] == _CLOSING.get(text[0]):
        return [item.strip() for item in _split(text[1:-1], text)]
    return [text]


def values(component: object) -> dict[str, Any]:
    """The values of all parameters of ``component``, by name."""
    return {name: getattr(component, name) for name in parameters(component)}


def text(component: Any, default: Any = None) -> str:
    """``name[p=v]`` with the values that differ from ``default`` (all values without one).

    `parse` and `configure` make the same component of it.
    """
    return written(component.name, values(component), values(default))


def written(name: str, values: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """``name[p=v]`` with the values that are not at their default."""
    items = [
        f"{k}={value_text(v)}" for k, v in values.items() if k not in defaults or defaults[k] != v
    ]
    return name + (f"[{','.join(items)}]" if items else "")


def value_text(value: object) -> str:
    """A parameter's value as the user would write it."""
    if isinstance(value, tuple | list):
        return "(" + ",".join(map(value_text, value)) + ")"
    return str(value).lower() if isinstance(value, bool) else str(value)
