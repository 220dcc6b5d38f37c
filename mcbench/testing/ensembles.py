"""Ensembles: a member for each endpoint, sharing what they have in common."""

from __future__ import annotations

from collections.abc import Iterator

from mcbench.ensembling import grow
from mcbench.errors import RunError, StructureError
from mcbench.params import Params, equal
from mcbench.testing.check import Fault, check
from mcbench.testing.components import one_line_or_fault
from mcbench.testing.dice import thrown
from mcbench.testing.networks import ARCHITECTURES, Trained, trained
from mcbench.testing.paths import unlike
from mcbench.testing.subject import Subject

SEEDS = (0, 1, 2)


def members(subject: Subject, network: Trained, count: int = 3) -> list[Params]:
    """The members of an ensemble of some endpoints."""
    endpoints = [network.endpoint(seed) for seed in SEEDS[:count]]
    return list(subject.component.members(endpoints, network.problem()))


def _applicable(subject: Subject) -> Iterator[tuple[Trained, list[Params]]]:
    """Networks that the ensemble takes, with their members."""
    found = False
    for name in ARCHITECTURES:
        try:
            made = members(subject, trained(name))
        except StructureError as error:
            one_line_or_fault(error, f"on the {name} network")
            continue
        found = True
        yield trained(name), made
    if not found:
        raise Fault("it takes none of the kit's networks", "see its error on each of them")


@check("ensemble", "members")
def there_is_a_member_for_each_endpoint(subject: Subject) -> None:
    """It gives one member for each endpoint, of one endpoint too, with that one's names and
    shapes, and finite."""
    for network, made in _applicable(subject):
        for count, given in ((3, made), (1, members(subject, network, 1))):
            if len(given) != count:
                raise Fault(
                    f"of {count} endpoints of the {network.name} network it makes {len(given)} "
                    "members",
                    "yield one member for each endpoint",
                )
        ends = [network.endpoint(seed).params for seed in SEEDS]
        for i, (member, end) in enumerate(zip(made, ends, strict=True), start=1):
            wrong = unlike(member, end, ends[0])
            if wrong:
                raise Fault(
                    f"of member {i} on the {network.name} network {wrong}",
                    "a member holds every entry of an endpoint's params",
                )


@check("ensemble", "shared tensors")
def common_entries_are_the_same_tensors(subject: Subject) -> None:
    """What a member has in common with the first one is the same tensor, not a copy."""
    for network, (first, *others) in _applicable(subject):
        for member in others:
            for name, x in member.items():
                copied = x is not first[name] and x.is_floating_point() and x.equal(first[name])
                if copied:
                    raise Fault(
                        f"'{name}' of the {network.name} network is a copy of the first member's",
                        "pass the tensor on as it is: storage and operations count it once then",
                    )


@check("ensemble", "determinism")
def the_same_endpoints_give_the_same_members(subject: Subject) -> None:
    """The same endpoints give the same members, whatever the global generators hold."""
    network = next(_applicable(subject))[0]
    made = []
    for seed in (1, 2):
        with thrown(seed) as used:
            made.append(members(subject, network))
            if names := used():
                raise Fault(
                    f"it used the global generator of {names}",
                    "draw with generator=problem.generator(purpose)",
                )
    if not all(equal(x, y) for x, y in zip(*made, strict=True)):
        raise Fault("members differ the second time", "draw with problem.generator(purpose)")


@check("ensemble", "endpoints not modified")
def endpoints_are_not_modified(subject: Subject) -> None:
    """Making members leaves the endpoints' tensors as they were."""
    for network, _ in _applicable(subject):
        endpoints = [network.endpoint(seed) for seed in SEEDS]
        list(subject.component.members(endpoints, network.problem()))
        for end in endpoints:
            if not equal(end.params, network.endpoint(end.seed).params):
                raise Fault(
                    f"endpoint {end.seed} was changed, on the {network.name} network",
                    "clone before changing in place",
                )


@check("ensemble", "measured")
def it_can_be_measured(subject: Subject) -> None:
    """Accuracy, storage and operations are measured as it grows, with finite outputs."""
    for network, _ in _applicable(subject):
        endpoints = [network.endpoint(seed) for seed in SEEDS]
        try:
            list(grow(subject.component, endpoints, network.problem()))
        except RunError as error:
            raise Fault(
                f"on the {network.name} network {error}", "give networks as members"
            ) from None
