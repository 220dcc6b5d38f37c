"""`Subject`, the component that is checked, with what its checks share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mcbench.plugins import parameters
from mcbench.plugins.host import Host, Plugin, host


@dataclass
class Subject:
    """A component under test.

    Arguments:
        kind, text: What it is, as the user writes it: ``name[p=v]``.
        component: With its parameters set.
        declared: As its plugin yields it.
        plugin: Who provides it.
        host: The host that it was found in.
        shared: What is costly and used by several checks, such as paths.
    """

    kind: str
    text: str
    component: Any
    declared: Any
    plugin: Plugin
    host: Host
    shared: dict[Any, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """``method ot-wa``."""
        return f"{self.kind} {self.text}"

    @property
    def source(self) -> str:
        """The distribution and its version."""
        return f"{self.plugin.distribution} {self.plugin.version}"

    @property
    def expected(self) -> dict[str, str]:
        """The failures that the component itself declares: reasons by check."""
        return dict(self.component.expected_failures)


_KNOWN: dict[tuple[str, str], Subject] = {}


def subject(kind: str, text: str) -> Subject:
    """The component that ``text`` names, the same one as long as the host is the same.

    If ``text`` sets no parameter, the component's ``trial`` (parameters with which it is checked
    in seconds) is used, if it has one.

    Raises:
        UsageError: If there is no such component, or a parameter is wrong.
    """
    known = _KNOWN.get((kind, text))
    if known is not None and known.host is host():
        return known
    name, given = parameters.parse(text)
    provided = host().find(kind, name)
    component = host().get(kind, text)
    if component.trial and not given:
        component = parameters.configure(kind, component, component.trial)
    shown = host().text(kind, component)
    made = Subject(kind, shown, component, provided.component, provided.plugin, host())
    _KNOWN[kind, text] = made
    return made
