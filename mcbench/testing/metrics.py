"""Metrics: declared, finite, a function of the evaluation alone."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from math import isfinite
from numbers import Real
from typing import Any, TypeAlias

from mcbench.evaluation.evaluate import Curve, evaluate
from mcbench.evaluation.metric import Evaluation
from mcbench.evaluation.protocol import Protocol
from mcbench.paths.params import equal
from mcbench.paths.path import Path, polyline
from mcbench.problem.problem import SPLITS
from mcbench.testing.check import Fault, Inapplicable, check
from mcbench.testing.global_generators import repeated
from mcbench.testing.networks import Trained, applicable, on_each, trained
from mcbench.testing.subject import Subject

Values: TypeAlias = dict[str, Any]  # A plugin's metric may give anything.

NETWORKS = ("two-layer", "convolutional", "residual")


@cache
def _curve(name: str, route: str) -> Curve:
    """Curve of a path between endpoints of a network."""
    network = trained(name)
    path = _path(network, route)
    return evaluate(path, network.problem(), Protocol(5, 1))


def _path(network: Trained, route: str) -> Path:
    a, b, c = (network.endpoint(seed).params for seed in (0, 1, 2))
    return polyline({"line": [a, b], "detour": [a, c, b], "point": [a, a]}[route])


def evaluation(name: str, route: str = "line") -> Evaluation:
    """A new evaluation of a path: ``line``, ``detour`` over a third network, or ``point``."""
    network, curve = trained(name), copy.deepcopy(_curve(name, route))
    ends = network.endpoint(0), network.endpoint(0 if route == "point" else 1)
    return Evaluation(network.problem(), curve, lambda: ends, lambda: _path(network, route))


def values(subject: Subject, measurement: Evaluation) -> Values:
    """All values of the metric, by names such as ``bytes:train``."""
    metric, values = subject.component, Values()
    for split in SPLITS if metric.splits else (None,):
        measured = metric.measure(measurement, split)
        named = measured if isinstance(measured, dict) else {"": measured}
        values |= {":".join(filter(None, (str(n), split))): v for n, v in named.items()}
    return values


def _applicable(subject: Subject) -> Iterator[tuple[Trained, Values]]:
    """Networks that the metric takes, with its values."""
    return applicable(NETWORKS, lambda network: values(subject, evaluation(network.name)))


@check("metric", "declaration")
def it_is_declared(subject: Subject) -> None:
    """It declares `unit` (a text), `better` (higher, lower or empty) and `splits` (a bool)."""
    allowed: dict[str, Callable[[object], bool]] = {
        "unit": lambda x: isinstance(x, str),
        "better": lambda x: x in ("higher", "lower", ""),
        "splits": lambda x: isinstance(x, bool),
    }
    for name, fits in allowed.items():
        if not hasattr(subject.component, name):
            raise Fault(f"it has no '{name}'", "declare unit, better and splits")
        value = getattr(subject.component, name)
        if not fits(value):
            raise Fault(f"'{name}' is {value!r}", "take a value that the property allows")


@check("metric", "finite numbers")
@on_each(_applicable)
def values_are_finite_numbers(subject: Subject, network: Trained, measured: Values) -> None:
    """It gives finite numbers on every split it declares, of every network that it takes."""
    if not measured:
        raise Fault("it gives no value", "return a number")
    _finite(measured)


def _finite(measured: Values) -> None:
    for key, value in measured.items():
        if not isinstance(value, Real) or isinstance(value, bool):
            kind = type(value).__name__
            raise Fault(f"'{key}' is a {kind}", "return float(value), or a dict of numbers")
        if not isfinite(value):
            raise Fault(f"'{key}' is {value}", "guard divisions and logarithms")


@check("metric", "path of length 0", "guard divisions by lengths and distances")
def a_point_is_no_exception(subject: Subject) -> None:
    """It gives finite numbers on a path that stays at A."""
    network = next(_applicable(subject))[0]
    try:
        _finite(values(subject, evaluation(network.name, "point")))
    except ArithmeticError as error:
        raise Fault(f"it raises {type(error).__name__}: {error}, on a path of length 0") from None


@check("metric", "determinism", "draw with evaluation.problem.generator(purpose), keep no state")
def the_same_evaluation_gives_the_same_values(subject: Subject) -> None:
    """The same evaluation gives the same values, whatever the global generators hold."""
    network = next(_applicable(subject))[0]
    first, second = repeated(lambda: values(subject, evaluation(network.name)))
    if first != second:
        raise Fault(f"it gave {first}, then {second}")


@check("metric", "evaluation not modified")
@on_each(_applicable)
def the_evaluation_is_not_modified(subject: Subject, network: Trained, measured: Values) -> None:
    """Measuring changes neither the curve nor the endpoints."""
    measurement = evaluation(network.name)
    values(subject, measurement)
    if measurement.curve != _curve(network.name, "line"):
        raise Fault("it changed evaluation.curve", "sort and change copies: sorted(x)")
    for seed, end in enumerate(measurement.ends):
        if not equal(end.params, network.endpoint(seed).params):
            raise Fault("it changed an endpoint", "clone before changing in place")


@check("metric", "ends only", "take 'ends_only' away: else values are copied between methods")
def ends_only_does_not_depend_on_the_path(subject: Subject) -> None:
    """With `ends_only` it gives the same values for two paths between the same endpoints."""
    if not subject.component.ends_only:
        raise Inapplicable("it depends on the path")
    network, line = next(_applicable(subject))
    detour = values(subject, evaluation(network.name, "detour"))
    if detour != line:
        raise Fault(
            f"it gives {line} for one path and {detour} for another between the same endpoints"
        )


@check("metric", "store")
@on_each(_applicable)
def values_survive_the_store(subject: Subject, network: Trained, measured: Values) -> None:
    """Its values read back equal from JSON, under names without ':'."""
    as_numbers = {key: float(value) for key, value in measured.items()}
    if json.loads(json.dumps(as_numbers)) != as_numbers:
        raise Fault(f"{as_numbers} does not read back", "return finite numbers")
    for key in measured:
        own = [part for part in key.split(":") if part not in SPLITS]
        if len(own) > 1:
            raise Fault(f"a value's name is '{':'.join(own)}'", "use names without ':'")
