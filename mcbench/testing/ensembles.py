"""Ensembles: a member for each endpoint, sharing what they have in common."""

from __future__ import annotations

from collections.abc import Iterator

from mcbench.ensembles.ensemble import by_training, collects
from mcbench.ensembles.evaluate import grow
from mcbench.errors import RunError
from mcbench.paths.params import Params, equal
from mcbench.testing.check import Fault, Inapplicable, check
from mcbench.testing.components import applicable
from mcbench.testing.global_generators import repeated
from mcbench.testing.networks import ARCHITECTURES, RECIPE, Trained, trained
from mcbench.testing.paths import unlike
from mcbench.testing.subject import Subject

SEEDS = (0, 1, 2)


def members(subject: Subject, network: Trained, count: int = 3) -> list[Params]:
    """The members of an ensemble of some endpoints."""
    endpoints = [network.endpoint(seed) for seed in SEEDS[:count]]
    trainings = by_training(subject.component, endpoints, network.problem())
    return [member for members in trainings for member in members]


def _applicable(subject: Subject) -> Iterator[tuple[Trained, list[Params]]]:
    """Networks that the ensemble takes, with their members."""
    for name, group in applicable(ARCHITECTURES, lambda name: members(subject, trained(name))):
        yield trained(name), group


@check("ensemble", "members")
def there_are_members_for_each_endpoint(subject: Subject) -> None:
    """It gives one member for each endpoint, or as many as `epochs` announces, also for a single
    endpoint; each has the endpoint's names and shapes, and is finite."""
    each = 1
    if collects(subject.component):
        each = len(subject.component.epochs(RECIPE))
    for network, group in _applicable(subject):
        for count, result in ((3, group), (1, members(subject, network, 1))):
            if len(result) != count * each:
                raise Fault(
                    f"of {count} endpoints of the {network.name} network it makes {len(result)} "
                    f"members, not {count * each}",
                    "yield one member for each endpoint, or announce them with 'epochs'",
                )
        ends = [network.endpoint(seed).params for seed in SEEDS for _ in range(each)]
        for i, (member, end) in enumerate(zip(group, ends, strict=True), start=1):
            # Counters of a training of the ensemble's own are those of neither network.
            difference = unlike(member, end, member if collects(subject.component) else ends[0])
            if difference:
                raise Fault(
                    f"in member {i} of the {network.name} network {difference}",
                    "a member holds every entry of an endpoint's params",
                )


@check("ensemble", "shared tensors")
def common_entries_are_the_same_tensors(subject: Subject) -> None:
    """A tensor that a member has in common with the first one is the same object, not a copy."""
    for network, (first, *others) in _applicable(subject):
        for member in others:
            for name, x in member.items():
                copied = x is not first[name] and x.is_floating_point() and x.equal(first[name])
                if copied:
                    raise Fault(
                        f"'{name}' of the {network.name} network is a copy of the first member's",
                        "pass the tensor itself on: storage and operations then count it once",
                    )


@check("ensemble", "determinism")
def the_same_endpoints_give_the_same_members(subject: Subject) -> None:
    """The same endpoints give the same members, whatever the global generators hold."""
    network = next(_applicable(subject))[0]
    results = repeated(
        lambda: members(subject, network), "draw with generator=problem.generator(purpose)"
    )
    if not all(equal(x, y) for x, y in zip(*results, strict=True)):
        raise Fault("members differ the second time", "draw with problem.generator(purpose)")


@check("ensemble", "endpoints not modified")
def endpoints_are_not_modified(subject: Subject) -> None:
    """Making members leaves the endpoints' tensors as they were."""
    for network, _ in _applicable(subject):
        endpoints = [network.endpoint(seed) for seed in SEEDS]
        for members in by_training(subject.component, endpoints, network.problem()):
            list(members)
        for end in endpoints:
            if not equal(end.params, network.endpoint(end.seed).params):
                raise Fault(
                    f"endpoint {end.seed} was changed, on the {network.name} network",
                    "clone before changing in place",
                )


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


@check("ensemble", "measured")
def it_can_be_measured(subject: Subject) -> None:
    """Accuracy, storage and operations are measured as it grows, with finite outputs."""
    for network, _ in _applicable(subject):
        endpoints = [network.endpoint(seed) for seed in SEEDS]
        try:
            problem = network.problem()
            list(grow(by_training(subject.component, endpoints, problem), problem))
        except RunError as error:
            raise Fault(
                f"on the {network.name} network {error}", "give networks as members"
            ) from None
