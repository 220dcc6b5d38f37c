"""The page of a run's record, from its model."""

from __future__ import annotations

import json
from typing import Any

from docs.pages import text
from mcbench.experiments.record import Record

INTRODUCTION = """# Records

A run gives one record: what was run, the curve along the path, metrics, versions and hardware,
cost. It is the same in the [store](../store.md), in the [files of
leaderboards](../leaderboards.md) and in the hook
[`mcbench_run_finished`](hooks.md#mcbench_run_finishedrun-record-units), where its fields are
attributes and `record.curve` is a `mcbench.Curve`. This page is made from the model."""

SCHEMA = """## JSON schema

The same as a [JSON schema](https://json-schema.org), for programs that read records."""


def page() -> str:
    """The fields of a record and of each of its parts, and the schema."""
    schema = Record.model_json_schema()
    parts = {"Record": schema} | schema["$defs"]
    fields = [section(name, part) for name, part in parts.items()]
    code = text.fenced(json.dumps(schema, indent=1), "json")
    return "\n\n".join([INTRODUCTION, *fields, SCHEMA, code])


def section(name: str, part: dict[str, Any]) -> str:
    """One part of a record: its description and its fields."""
    lines = [f"## {name}", text.docstring(part["description"])]
    fields = part.get("properties", {})
    if fields:
        needed = part.get("required", [])
        rows = [
            f"| `{field}` | {shown(kind)} | {'yes' if field in needed else 'no'} |"
            for field, kind in fields.items()
        ]
        lines.append("\n".join(["| field | type | always there |", "| --- | --- | --- |", *rows]))
    return "\n\n".join(lines)


def shown(kind: dict[str, Any]) -> str:
    """A type in words: a link for a part of the record, else `number` and the like."""
    if "$ref" in kind:
        name = kind["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in kind:
        return " or ".join(map(shown, kind["anyOf"]))
    if "const" in kind or "enum" in kind:
        return " or ".join(f"`{json.dumps(v)}`" for v in kind.get("enum", [kind.get("const")]))
    if "prefixItems" in kind:
        return f"{len(kind['prefixItems'])} of {shown(kind['prefixItems'][0])}"
    if kind.get("type") == "array":
        return f"list of {shown(kind['items'])}"
    values = kind.get("additionalProperties")
    if kind.get("type") == "object" and isinstance(values, dict):
        return f"by name: {shown(values)}"
    return str(kind.get("type", "any"))
