"""Reading any file as an entry: an entry, or one line that says what is wrong."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from boards import mend
from hypothesis import given
from hypothesis import strategies as st

from mcbench.errors import McbenchError
from mcbench.leaderboard.entry.entry import Entry, read

PUBLISHED = Path(__file__).parents[2] / "leaderboards" / "digits-two-layer" / "entries"
NUMBERS = st.one_of(st.integers(), st.floats(), st.just(10**400))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)

Reader = Callable[[bytes], Entry | None]


@pytest.fixture(scope="module")
def entry_of(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """The entry of some bytes; none where they are refused in one line."""
    file = tmp_path_factory.mktemp("entries") / "any.json"

    def read_bytes(content: bytes) -> Entry | None:
        file.write_bytes(content)
        try:
            return read(file)
        except McbenchError as error:
            said = str(error)
            assert said and "\n" not in said and len(said) < 1000
            return None

    return read_bytes


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    """A true entry, with one record alone."""
    whole: dict[str, Any] = json.loads(min(PUBLISHED.glob("*.json")).read_text())
    whole["content"]["records"] = whole["content"]["records"][:1]
    mend(whole)
    return whole


@given(content=st.one_of(st.binary(max_size=64), st.text(max_size=64).map(str.encode)))
def test_any_bytes(entry_of: Reader, content: bytes) -> None:
    assert entry_of(content) is None


@given(value=st.one_of(JSON, st.fixed_dictionaries({"schema": JSON, "content": JSON})))
def test_any_json(entry_of: Reader, value: Any) -> None:
    assert entry_of(json.dumps(value).encode()) is None


@given(
    content=st.integers(1, 200_000).flatmap(
        lambda n: st.sampled_from([b"[" * n, b'{"a":' * n, b"1" * n, b'"' + b"a" * n + b'"'])
    )
)
def test_what_is_deep_or_long(entry_of: Reader, content: bytes) -> None:
    assert entry_of(content) is None


def test_the_entry_that_is_altered_below_is_right(
    entry_of: Reader, published: dict[str, Any]
) -> None:
    assert entry_of(json.dumps(published).encode()) is not None


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container of a JSON value with each of its keys or numbers."""
    keys = value if isinstance(value, dict) else range(len(value))
    inner = [(value, key) for key in keys]
    return inner + [
        place for _, key in inner if isinstance(value[key], dict | list)
        for place in places(value[key])
    ]  # fmt: skip


@given(data=st.data(), value=JSON, mended=st.booleans())
def test_an_entry_with_any_value_altered(
    entry_of: Reader, published: dict[str, Any], data: st.DataObject, value: Any, mended: bool
) -> None:
    whole = copy.deepcopy(published)
    all_places = places(whole)
    container, key = all_places[data.draw(st.integers(0, len(all_places) - 1))]
    container[key] = value
    try:
        if mended:
            mend(whole)
    except (KeyError, TypeError, ValueError, AttributeError):
        pass  # No forger could write these hashes.
    entry_of(json.dumps(whole).encode())
