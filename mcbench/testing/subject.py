"""`Subject`, a component under test, with the values that its checks share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mcbench.plugins import parameters
from mcbench.plugins.host import Host, Plugin, host


@dataclass
class Subject:
    """A component under test.

    Arguments:
        kind, text: Its kind, and its name with parameters: ``name[p=v]``.
        component: The component with its parameters set, of any class.
        declared: The component as its plugin yields it.
        plugin: The plugin that provides it.
        host: The host that has the plugin.
        shared: Values that are costly and used by several checks, such as paths.
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


_SUBJECTS: dict[tuple[str, str], Subject] = {}


def subject(kind: str, text: str) -> Subject:
    """The component that ``text`` names; the same object while the host is the same.

    If ``text`` sets no parameter, the component gets those of its ``trial``, with which checks
    take seconds.

    Raises:
        UsageError: If there is no such component, or a parameter is wrong.
    """
    cached = _SUBJECTS.get((kind, text))
    if cached is not None and cached.host is host():
        return cached
    name, arguments = parameters.parse(text)
    provided = host().find(kind, name)
    component = host().get(kind, text)
    if component.trial and not arguments:
        component = parameters.configure(kind, component, component.trial)
    full = host().text(kind, component)
    result = Subject(kind, full, component, provided.component, provided.plugin, host())
    _SUBJECTS[kind, text] = result
    return result
