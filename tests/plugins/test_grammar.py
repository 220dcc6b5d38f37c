"""``name[p=v,...]`` for any text: it is read, or refused in one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from mcbench.errors import UsageError
from mcbench.plugins import parameters

NAME = st.text("abz09-", min_size=1, max_size=8)
WORD = st.text("aZ09_.+-", min_size=1, max_size=8)


def written(name: str, values: dict[str, str]) -> str:
    items = ",".join(f"{key}={value}" for key, value in values.items())
    return f"{name}[{items}]" if values else name


VALUE = st.recursive(
    WORD,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda items: f"({','.join(items)})"),
        st.builds(written, NAME, st.dictionaries(NAME, inner, max_size=3)),
    ),
    max_leaves=6,
)
SYMBOLS = st.text(alphabet="ab1=,.[]() \n\t'\"\\\0é", max_size=20)


@dataclass(frozen=True)
class Net:
    name = "net"
    width: int = parameters.parameter(32, "hidden units", gt=0)
    rate: float = parameters.parameter(0.1, "learning rate")
    widths: tuple[int, ...] = parameters.parameter((8, 4), "hidden units per layer")
    sides: tuple[int, int] = parameters.parameter((3, 3), "height and width")
    bias: bool = parameters.parameter(True, "biases")
    kind: Literal["a", "b"] = parameters.parameter("a", "kind")


@given(NAME, st.dictionaries(NAME, VALUE, max_size=4))
def test_what_is_written_reads_back(name: str, values: dict[str, str]) -> None:
    assert parameters.parse(written(name, values)) == (name, values)


@given(
    st.builds(
        Net,
        width=st.integers(1, 10**6),
        rate=st.floats(allow_nan=False),
        widths=st.lists(st.integers(-9, 99), max_size=4).map(tuple),
        sides=st.tuples(st.integers(), st.integers()),
        bias=st.booleans(),
        kind=st.sampled_from(["a", "b"]),
    ),
    st.sampled_from([None, Net()]),
)
def test_a_component_s_text_reads_back_as_the_component(net: Net, default: Net | None) -> None:
    name, values = parameters.parse(parameters.text(net, default))
    assert name == "net" and parameters.configure("network", Net(), values) == net


@given(st.one_of(st.text(max_size=20), SYMBOLS, SYMBOLS.map(lambda inside: f"a[{inside}]")))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        name, values = parameters.parse(text)
        names = parameters.expand(text)
    except UsageError as error:
        assert str(error)
    else:
        assert name == name.strip() != "" and all(values.values()) and names


def test_numbers_of_any_length_are_no_traceback() -> None:
    text = f"net[width={'1' * 5000}..2]"
    assert parameters.expand(text) == [text]


@given(st.sampled_from(list(parameters.parameters(Net()))), st.one_of(st.text(), SYMBOLS, VALUE))
def test_any_value_is_taken_or_refused(key: str, value: str) -> None:
    try:
        net = parameters.configure("network", Net(), {key: value})
    except UsageError as error:
        assert f"network 'net': parameter '{key}'" in str(error)
    else:
        assert isinstance(net, Net)
