"""Checks of every component: a summary, sound parameters, a light import."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache

from mcbench.errors import McbenchError, UsageError
from mcbench.methods.method import summary
from mcbench.plugins import parameters
from mcbench.plugins.host import host, plural
from mcbench.testing.check import Fault, Inapplicable, check
from mcbench.testing.subject import Subject

HEAVY = ("torch", "torchvision", "numpy", "scipy", "sklearn", "pandas", "matplotlib")
"""Libraries that no plugin may import before a component needs them."""

NONSENSE = "no such value"
"""A text that is no number, no choice and no name."""


@check("", "summary", "give the class a docstring, or an attribute 'summary', of one line")
def has_a_summary(subject: Subject) -> None:
    """It says in one line what it is, as `summary` or in its docstring."""
    text = summary(subject.declared)
    if not text or "\n" in text:
        raise Fault(f"its summary is {text!r}")


@check("", "parameters")
def parameters_are_sound(subject: Subject) -> None:
    """Every parameter has a help text and a default that its own type and bounds allow."""
    for name, parameter in _parameters(subject).items():
        if not parameter.help.strip():
            raise Fault(
                f"parameter '{name}' has no help",
                f"say what it means: {name}: ... = mcbench.parameter(default, 'help, with unit')",
            )
        try:
            parameters.configure(subject.kind, subject.declared, {name: parameter.default})
        except UsageError as error:
            raise Fault(
                f"the default of parameter '{name}' is refused: {error}",
                "choose a default that its type and its bounds allow",
            ) from None


@check("", "wrong values", "annotate it with its type (int, float, bool, Literal, tuple, ...)")
def wrong_values_are_refused(subject: Subject) -> None:
    """A parameter's value of the wrong type is refused with one line."""
    for name, parameter in _parameters(subject).items():
        if parameter.type is str and not parameter.part and not parameter.constraints:
            continue  # Any text will do.
        value = f"{subject.declared.name}[{name}={NONSENSE}]"
        try:
            host().get(subject.kind, value)
        except UsageError as error:
            one_line_or_fault(error, f"refusing '{value}'")
        else:
            raise Fault(f"'{value}' is accepted")


@check("", "parameters read back", "take types that read back: numbers, texts, Literal, tuples")
def parameters_read_back(subject: Subject) -> None:
    """Written as `name[p=v]` it reads back as the same component: names in tables can be run."""
    _parameters(subject)
    text = parameters.text(subject.component, subject.declared)
    try:
        again = host().get(subject.kind, text)
    except UsageError as error:
        raise Fault(f"'{text}' does not read back: {error}") from None
    if parameters.values(again) != parameters.values(subject.component):
        raise Fault(f"'{text}' reads back as '{parameters.text(again, subject.declared)}'")


@check("", "frozen")
def it_is_frozen(subject: Subject) -> None:
    """A component with parameters is a frozen dataclass: one object serves all runs."""
    _parameters(subject)
    if not type(subject.component).__dataclass_params__.frozen:
        raise Fault("its dataclass can be changed", "declare it @dataclass(frozen=True)")


@check("", "light import")
def its_import_is_light(subject: Subject) -> None:
    """Loading its plugin and asking it for its components imports no heavy library."""
    plugin = host().manager.get_plugin(subject.plugin.name)
    module = getattr(plugin, "__name__", "")
    if module not in sys.modules:  # The plugin is an object.
        module = type(subject.declared).__module__
    heavy, error = _loaded(module)
    if error:
        raise Fault(f"'{module}' does not load: {error}", "see 'mcbench plugins'")
    if heavy:
        raise Fault(
            f"importing '{module}', or asking for its {plural(subject.kind)}, imports {heavy}",
            "import it inside the functions that use it, and types under TYPE_CHECKING",
        )


def one_line_or_fault(error: McbenchError, doing: str) -> None:
    """Test that an error's message is one line and not empty.

    Raises:
        Fault: If it is not.
    """
    text = str(error)
    if not text.strip() or len(text.splitlines()) > 1:
        raise Fault(
            f"{doing}, its message is {text!r}",
            "say in one line what is wrong and what is allowed",
        )


def _parameters(subject: Subject) -> dict[str, parameters.Parameter]:
    declared = parameters.parameters(subject.declared)
    if not declared:
        raise Inapplicable("it has no parameters")
    return declared


@cache
def _loaded(module: str) -> tuple[str, str]:
    """The heavy libraries that loading a plugin imports in a new process; and its error."""
    code = (
        "import sys; from importlib import import_module; "
        "from mcbench.plugins.host import Host, Plugin; "
        "host = Host(only=set()); plugin = Plugin('checked', 'checked', '0'); "
        f"module = import_module({module!r}); "
        "host.manager.is_registered(module) or host.register(plugin, lambda: module); "
        "host.listing(); "
        f"print(*[n for n in {HEAVY!r} if n in sys.modules], sep=', '); "
        "print(*plugin.errors, sep='; ')"
    )
    places = os.pathsep.join(p for p in sys.path if p)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": places},
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        return "", (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    heavy, error, *_ = done.stdout.split("\n")
    return heavy, error
