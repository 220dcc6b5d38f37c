"""`Subject`, a component under test, with the values that its checks share."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from mcbench.plugins import parameters
from mcbench.plugins.host import Host, Plugin, host

Value = TypeVar("Value")


@dataclass
class Subject:
    """A component under test.

    Arguments:
        kind, text: Its kind, and its name with parameters: ``name[p=v]``.
        component: The component with its parameters set.
        declared: The component as its plugin yields it.
        plugin: The plugin that provides it.
        shared: Values that are costly and used by several checks, such as paths.
    """

    kind: str
    text: str
    component: Any  # Plugins' classes inherit nothing: each kind has its protocol.
    declared: Any
    plugin: Plugin
    shared: dict[Hashable, Any] = field(default_factory=dict)  # Of any type, see `share`.

    def share(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """The value that ``compute`` gave when it was first asked for under this key."""
        if key not in self.shared:
            self.shared[key] = compute()
        value: Value = self.shared[key]
        return value

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


def subject(kind: str, text: str) -> Subject:
    """The component that ``text`` names; the same object while the host is the same.

    If ``text`` sets no parameter, the component gets those of its ``trial``, with which checks
    take seconds.

    Raises:
        UsageError: If there is no such component, or a parameter is wrong.
    """
    return _subject(host(), kind, text)


@cache
def _subject(host: Host, kind: str, text: str) -> Subject:
    name, arguments = parameters.parse(text)
    provided = host.find(kind, name)
    component = host.get(kind, text)
    if component.trial and not arguments:
        component = parameters.configure(kind, component, component.trial)
    full = host.text(kind, component)
    return Subject(kind, full, component, provided.component, provided.plugin)
