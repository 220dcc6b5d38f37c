"""Texts of components and problems from the identities in their records."""

from __future__ import annotations

import json
from typing import Any

from mcbench.plugins import parameters
from mcbench.plugins.host import host


def identity_text(kind: str, identity: dict[str, Any]) -> str:
    """A component as ``name[p=v]``, with the parameters that are not at their default."""
    name = identity["name"]
    claims = host().provided(kind).get(name, [])
    declared = parameters.parameters(claims[0].component) if len(claims) == 1 else {}
    defaults = {n: json.loads(json.dumps(p.default)) for n, p in declared.items()}
    return parameters.written(name, identity["parameters"], defaults)


def subject(problem: dict[str, Any]) -> list[str]:
    """Data set, architecture and recipe of a problem's identity, each as ``name[p=v]``."""
    return [identity_text(kind, problem[kind]) for kind in ("dataset", "architecture", "recipe")]
