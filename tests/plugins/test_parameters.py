"""Components with typed parameters: ``name[p=v]``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest

from mcbench.errors import UsageError
from mcbench.plugins import parameters


@dataclass(frozen=True)
class Net:
    name = "net"
    width: int = parameters.parameter(32, "hidden units", gt=0)
    widths: tuple[int, ...] = parameters.parameter((8, 4), "hidden units per layer")
    bias: bool = parameters.parameter(True, "biases")
    kind: Literal["a", "b"] = parameters.parameter("a", "kind")
    internal: str = "not for users"


def test_parse_splits_at_top_level_commas_only() -> None:
    assert parameters.parse("ot-wa") == ("ot-wa", {})
    assert parameters.parse(" m[a=1, b=(2,3), c=ot[cost=incoming,x=1]] ") == (
        "m",
        {"a": "1", "b": "(2,3)", "c": "ot[cost=incoming,x=1]"},
    )


@dataclass(frozen=True)
class Filter:
    name = "filter"
    sides: tuple[int, int] = parameters.parameter((3, 3), "height and width")


@pytest.mark.parametrize("given", ["(4)", "4", "(1,2,3)", "()"])
def test_a_sequence_of_another_length_is_refused_as_it_was_written(given: str) -> None:
    with pytest.raises(UsageError) as error:
        parameters.configure("network", Filter(), {"sides": given})
    assert str(error.value).endswith(f"should have 2 entries, not '{given}'")


@pytest.mark.parametrize(
    "text",
    ["", "m[", "m]", "m[a]", "m[a=]", "m[=1]", "m[a=1,a=2]", "m[a=(1]", "m[a=1]x", "m[a=[1)]"],
)
def test_parse_refuses_what_it_cannot_read(text: str) -> None:
    with pytest.raises(UsageError):
        parameters.parse(text)


def test_configure_converts_to_the_declared_type() -> None:
    net = parameters.configure(
        "architecture", Net(), {"width": "64", "widths": "(3,2,1)", "bias": "false", "kind": "b"}
    )
    assert (net.width, net.widths, net.bias, net.kind) == (64, (3, 2, 1), False, "b")
    assert parameters.configure("architecture", Net(), {"widths": "5"}).widths == (5,)
    assert parameters.configure("architecture", Net(), {}) == Net()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"width": "0"}, "greater than 0"),
        ({"width": "two"}, "integer"),
        ({"widths": "(1,x)"}, "integer"),
        ({"bias": "perhaps"}, "boolean"),
        ({"kind": "c"}, "'a' or 'b'"),
        ({"depth": "3"}, "width, widths, bias, kind"),
        ({"internal": "x"}, "no parameter 'internal'"),
    ],
)
def test_configure_says_what_is_allowed(values: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        parameters.configure("architecture", Net(), values)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "architecture 'net'" in str(raised.value)


def test_text_reads_back_as_the_same_component() -> None:
    net = Net(width=7, widths=(1, 2), bias=False, kind="b")
    text = parameters.text(net, Net())
    assert text == "net[width=7,widths=(1,2),bias=false,kind=b]"
    assert parameters.configure("architecture", Net(), parameters.parse(text)[1]) == net
    assert parameters.text(Net(), Net()) == "net"


def test_values_are_what_determines_a_result() -> None:
    assert parameters.values(Net()) == {"width": 32, "widths": (8, 4), "bias": True, "kind": "a"}
    assert parameters.values(object()) == {}


def test_a_range_stands_for_every_number_in_it() -> None:
    assert parameters.expand("ot-wa") == ["ot-wa"]
    assert parameters.expand("wa[head=2..4]") == ["wa[head=2]", "wa[head=3]", "wa[head=4]"]
    assert parameters.expand("x[a=1..2,b=(3,4),c=5..6]") == [
        f"x[a={a},b=(3,4),c={c}]" for a in (1, 2) for c in (5, 6)
    ]
    with pytest.raises(UsageError, match=r"write 2\.\.4"):
        parameters.expand("wa[head=4..2]")
