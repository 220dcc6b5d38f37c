"""Ensembles: a member for each endpoint, sharing what they have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from mcbench.ensembles.ensemble import by_training, collects
from mcbench.ensembles.evaluate import grow
from mcbench.errors import RunError
from mcbench.paths.params import Params, equal
from mcbench.testing.check import Fault, Inapplicable, check
from mcbench.testing.global_generators import repeated
from mcbench.testing.networks import ARCHITECTURES, RECIPE, Trained, applicable, on_each
from mcbench.testing.paths import unlike
from mcbench.testing.subject import Subject

Members: TypeAlias = list[Params]

SEEDS = (0, 1, 2)


def members(subject: Subject, network: Trained, count: int = 3) -> Members:
    """The members of an ensemble of some endpoints."""
    endpoints = [network.endpoint(seed) for seed in SEEDS[:count]]
    trainings = by_training(subject.component, endpoints, network.problem())
    return [member for members in trainings for member in members]


def _applicable(subject: Subject) -> Iterator[tuple[Trained, Members]]:
    """Networks that the ensemble takes, with their members."""
    return applicable(ARCHITECTURES, lambda network: members(subject, network))


@check("ensemble", "members")
@on_each(_applicable)
def each_endpoint_has_members(subject: Subject, network: Trained, group: Members) -> None:
    """It gives one member for each endpoint, or as many as `epochs` announces, also for a single
    endpoint; each has the endpoint's names and shapes, and is finite."""
    own = collects(subject.component)
    each = len(subject.component.epochs(RECIPE)) if own else 1
    for count, result in ((3, group), (1, members(subject, network, 1))):
        if len(result) != count * each:
            raise Fault(
                f"of {count} endpoints it makes {len(result)} members, not {count * each}",
                "yield one member for each endpoint, or announce them with 'epochs'",
            )
    ends = [network.endpoint(seed).params for seed in SEEDS for _ in range(each)]
    for i, (member, end) in enumerate(zip(group, ends, strict=True), start=1):
        # Counters of a training of the ensemble's own are those of neither network.
        if difference := unlike(member, end, member if own else ends[0]):
            fix = "a member holds every entry of an endpoint's params"
            raise Fault(f"in member {i} {difference}", fix)


@check("ensemble", "shared tensors", "pass the tensor itself on, which then counts once")
@on_each(_applicable)
def common_entries_are_shared(subject: Subject, network: Trained, group: Members) -> None:
    """A tensor that a member has in common with the first one is the same object, not a copy."""
    first, *others = group
    for member in others:
        for name, x in member.items():
            if x is not first[name] and x.is_floating_point() and x.equal(first[name]):
                raise Fault(f"'{name}' is a copy of the first member's")


@check("ensemble", "determinism", "draw with generator=problem.generator(purpose)")
def the_same_endpoints_give_the_same_members(subject: Subject) -> None:
    """The same endpoints give the same members, whatever the global generators hold."""
    network = next(_applicable(subject))[0]
    results = repeated(lambda: members(subject, network))
    if not all(equal(x, y) for x, y in zip(*results, strict=True)):
        raise Fault("members differ the second time")


@check("ensemble", "endpoints not modified", "clone before changing in place")
@on_each(_applicable)
def endpoints_are_not_modified(subject: Subject, network: Trained, group: Members) -> None:
    """Making members leaves the endpoints' tensors as they were."""
    endpoints = [network.endpoint(seed) for seed in SEEDS]
    for members in by_training(subject.component, endpoints, network.problem()):
        list(members)
    for end in endpoints:
        if not equal(end.params, network.endpoint(end.seed).params):
            raise Fault(f"endpoint {end.seed} was changed")


@check("ensemble", "epochs")
def epochs_are_counted(subject: Subject) -> None:
    """The epochs spent grow from one member to the next, and are not fewer than those of the
    network that its training starts from."""
    ensemble = subject.component
    if not collects(ensemble):
        raise Inapplicable("its members come from no training of its own")
    spent, start = ensemble.epochs(RECIPE), ensemble.start(RECIPE)
    if not spent or list(spent) != sorted(spent):
        raise Fault(f"'epochs' gives {spent}", "give the epochs spent at each member, in order")
    least = start.last if start is not None else 0
    if spent[0] < least:
        raise Fault(
            f"its first member has {spent[0]:g} epochs, but it starts from a network that was "
            f"trained for {least}",
            "count the epochs of the network that the training starts from",
        )


@check("ensemble", "measured", "give networks as members")
@on_each(_applicable)
def it_can_be_measured(subject: Subject, network: Trained, group: Members) -> None:
    """Accuracy, storage and operations are measured as it grows, with finite outputs."""
    endpoints, problem = [network.endpoint(seed) for seed in SEEDS], network.problem()
    try:
        list(grow(by_training(subject.component, endpoints, problem), problem))
    except RunError as error:
        raise Fault(str(error)) from None
