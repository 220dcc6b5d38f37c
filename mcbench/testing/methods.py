"""Checks of methods: some network is connected, and the same request gives the same path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mcbench.errors import McbenchError
from mcbench.methods import method
from mcbench.paths.params import Params, equal, move
from mcbench.paths.path import Path
from mcbench.problem.endpoint import Endpoint
from mcbench.problem.problem import Problem
from mcbench.testing.check import Fault, Inapplicable, check
from mcbench.testing.components import one_line_or_fault
from mcbench.testing.global_generators import seeded
from mcbench.testing.networks import ARCHITECTURES, Trained, on_each, trained
from mcbench.testing.subject import Subject

TIMES = (0.0, 0.21, 0.5, 0.83, 1.0)
"""Times at which points are compared."""


def connect(
    subject: Subject,
    network: Trained,
    problem: Problem | None = None,
    ends: Sequence[Endpoint] = (),
    **where: Any,  # Passed on to `Trained`, which has the types; below as well.
) -> Path:
    """A new path between two endpoints of a network.

    Arguments:
        subject: The method.
        network: The network that has the endpoints.
        problem: The problem, if not the network's own.
        ends: The endpoints, if not the network's first two.
        where: ``dtype`` and ``device`` of endpoints and data.
    """
    problem = problem or network.problem(**where)
    problem = problem.bind(fitted=fitted(subject, network, problem, **where))
    a, b = ends or [network.endpoint(seed, **where) for seed in (0, 1)]
    path: Path = subject.component.connect(a, b, problem)
    return path


def fitted(subject: Subject, network: Trained, problem: Problem, **where: Any) -> Params:
    """Tensors from fitting the method on a pool of endpoints; none if it needs no pool."""
    if "pool" not in method.needs(subject.component):
        return {}
    key = "fitted", network.name
    params = subject.share(key, lambda: fit(subject, network, problem, **where))
    return move(params, problem.device)


def fit(subject: Subject, network: Trained, problem: Problem, **where: Any) -> Params:
    """Fit the method on a pool as a run does: after ``check``, which may refuse the network."""
    if subject.component.check is not None:
        subject.component.check(problem)
    params: Params = subject.component.fit(network.pool(subject.component.pool, **where), problem)
    return params


def attempts(subject: Subject) -> dict[str, Path | Exception]:
    """The path between two endpoints of every small network, or the error instead."""

    def attempt(name: str) -> Path | Exception:
        try:
            return connect(subject, trained(name))
        except Exception as error:
            return error

    return subject.share("attempts", lambda: {name: attempt(name) for name in ARCHITECTURES})


def paths(subject: Subject) -> Iterator[tuple[Trained, Path]]:
    """The paths of the networks that the method connects.

    Raises:
        Inapplicable: If there is none, which is the fault that the check 'connects' finds.
    """
    pairs = [(trained(n), p) for n, p in attempts(subject).items() if isinstance(p, Path)]
    if not pairs:
        raise Inapplicable("it connects none of the kit's networks")
    yield from pairs


def any_network(subject: Subject) -> Trained:
    """The first network that the method connects."""
    return next(iter(paths(subject)))[0]


@check("method", "connects")
def it_connects_something(subject: Subject) -> None:
    """It connects endpoints of at least one of the kit's networks, by a `mcbench.Path`."""
    results = attempts(subject)
    for name, path in results.items():
        if not isinstance(path, Path | Exception):
            raise Fault(
                f"on the {name} network 'connect' returns {type(path).__name__}",
                "return a mcbench.Path: see mcbench.segment, mcbench.polyline, mcbench.Leg",
            )
    if not any(isinstance(path, Path) for path in results.values()):
        errors = "; ".join(f"{name}: {type(e).__name__}: {e}" for name, e in results.items())
        raise Fault(f"it connects none of the kit's networks: {errors}", "mend one of the errors")


@check("method", "errors", "raise mcbench.StructureError if it does not take such a network")
def errors_are_one_line(subject: Subject) -> None:
    """It refuses other networks by a McbenchError of one line."""
    for name, error in attempts(subject).items():
        if not isinstance(error, Exception):
            continue
        if not isinstance(error, McbenchError):
            raise Fault(f"on the {name} network it raises {type(error).__name__}: {error}")
        one_line_or_fault(error, f"on the {name} network")


@check("method", "determinism", "draw by problem.generator(purpose), keep no state in the method")
def the_same_request_gives_the_same_path(subject: Subject) -> None:
    """Connecting the same endpoints again gives the same points bit for bit, whatever was
    computed before, and whatever the global random number generators hold."""
    network = any_network(subject)
    with seeded(1):
        first = points(connect(subject, network))
    with seeded(2):
        connect(subject, network, ends=[network.endpoint(2), network.endpoint(1)])(0.5)
        second = points(connect(subject, network))
    for t, one, two in zip(TIMES, first, second, strict=True):
        if not equal(one, two):
            raise Fault(
                f"two paths between the same endpoints differ at t = {t:g}, on the {network.name} "
                "network"
            )


@check(
    "method",
    "no global randomness",
    "draw with generator=problem.generator(purpose), or inside torch.random.fork_rng()",
)
def global_generators_are_left_alone(subject: Subject) -> None:
    """Connecting and asking for points leaves the global random number generators alone."""
    network = any_network(subject)
    with seeded(3) as used:
        points(connect(subject, network))
        if names := used():
            raise Fault(f"it used the global generator of {names}")


@check("method", "endpoints not modified", "clone before changing in place: x.clone(), {**params}")
@on_each(paths)
def endpoints_are_not_modified(subject: Subject, network: Trained, path: Path) -> None:
    """Connecting, and asking for points, leaves the endpoints' tensors as they were."""
    ends = [network.endpoint(seed) for seed in (0, 1)]
    points(connect(subject, network, ends=ends))
    for name, end in zip("AB", ends, strict=True):
        if not equal(end.params, network.endpoint(end.seed).params):
            raise Fault(f"{name} was changed")


def points(path: Path) -> list[Params]:
    """Copies of the points at `TIMES`."""
    return [{n: x.detach().clone() for n, x in path(t).items()} for t in TIMES]
