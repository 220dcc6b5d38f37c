"""`Entry`, a file with records of a leaderboard; reading one trusts nothing in it."""

from __future__ import annotations

import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from mcbench.errors import EntryError, UsageError, one_line
from mcbench.experiments.record import RunFields
from mcbench.leaderboard.entry.files import write_file
from mcbench.leaderboard.entry.schema import SCHEMA, EntryFile, RecordItem
from mcbench.store.key import canonical

LIMIT = 64 * 2**20
"""The most bytes an entry may have."""

DEPTH = 24
"""The deepest nesting."""

LONGEST = 1000
"""The most characters of a text."""

_ABSOLUTE = re.compile(
    r"(?:^|[\s'\"=(:,])(?:~?/[^\s/]|[A-Za-z]:[\\/]|\\\\)|file:|(?:^|[\\/])\.\.(?:[\\/]|$)"
)


@dataclass(frozen=True)
class Entry:
    """An entry whose fields, types and hashes are right.

    Arguments:
        path: The entry's file.
        sha256: The hash of ``content``.
        content: Decoded JSON: see `mcbench.leaderboard.entry.schema.Content`.
    """

    path: Path
    sha256: str
    content: dict[str, Any]

    @cached_property
    def records(self) -> list[RecordItem]:
        """The entry's records, each with its content key and its hash."""
        return list(map(RecordItem.of, self.content["records"]))

    @property
    def points(self) -> Path:
        """The file beside the entry with the points of its paths; often there is none."""
        return self.path.with_suffix(".paths.safetensors")


def sha256_of(value: Any) -> str:  # Here and below, Any is a JSON value of any shape.
    """The hash of a JSON value, however it is laid out."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def write(path: Path, content: dict[str, Any]) -> Entry:
    """Write an entry; the same content gives the same bytes.

    Raises:
        UsageError: If the file cannot be written.
    """
    digest = sha256_of(content)
    whole = {"schema": SCHEMA, "sha256": digest, "content": content}
    write_file(path, json.dumps(whole, sort_keys=True, separators=(",", ":")) + "\n")
    return Entry(path, digest, content)


def read(path: Path) -> Entry:
    """Read an entry, whoever wrote it, and test its fields and its hashes.

    Raises:
        UsageError: If the file cannot be opened.
        EntryError: Naming what is wrong with it.
    """
    whole = _parse(_bytes(path))
    if not isinstance(whole, dict) or "schema" not in whole:
        raise EntryError("it is no entry of a leaderboard: it has no field 'schema'")
    if whole["schema"] != SCHEMA or isinstance(whole["schema"], bool):
        raise EntryError(f"its schema is {quoted(whole['schema'])}, not {SCHEMA}")
    for place, text in _texts(whole, 0):
        wrong = _wrong(text)
        if wrong:
            raise EntryError(f"a text {wrong}: {quoted(text)} in {place or 'the entry'}")
    try:
        EntryFile.model_validate(whole)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(quoted(x)[1:-1] if isinstance(x, str) else str(x) for x in first["loc"])
        raise EntryError(f"{place}: {one_line(first['msg'])[:200]}") from None
    entry = Entry(path, whole["sha256"], whole["content"])
    for stored, item in zip(entry.content["records"], entry.records, strict=True):
        if sha256_of(stored["record"]) != item.sha256:
            raise EntryError(f"{title(item.record)}: it does not match its hash")
    if sha256_of(entry.content) != entry.sha256:
        raise EntryError("its content does not match its hash")
    return entry


def title(record: RunFields) -> str:
    """``record METHOD A-B``: a record by its method and the seeds of its pair."""
    return f"record {quoted(record.method)[1:-1]} {record.pair[0]}-{record.pair[1]}"


def quoted(value: object, longest: int = 80) -> str:
    """A stranger's value, safe to print: short, control characters escaped."""
    text = ascii(value) if not isinstance(value, str) else repr(value)
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= longest else f"{text[: longest - 4]}...{text[-1]}"


def _bytes(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            content = file.read(LIMIT + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot read {quoted(str(path))}: {reason}") from None
    if len(content) > LIMIT:
        raise EntryError(f"it is larger than {LIMIT >> 20} MiB")
    return content


def _parse(content: bytes) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise EntryError(f"an object has the field {quoted(twice)} more than once")
        return fields

    def no_number(text: str) -> NoReturn:
        raise EntryError(f"{text} is no finite number")

    try:
        return json.loads(
            content.decode("utf-8"), object_pairs_hook=once, parse_constant=no_number
        )
    except RecursionError:
        raise EntryError("it is nested too deeply") from None
    except ValueError as error:
        raise EntryError(f"it is no JSON: {one_line(error)[:200]}") from None


def _texts(value: Any, depth: int, place: str = "") -> Iterator[tuple[str, str]]:
    """All texts with their places, names of fields among them; numbers must be finite."""
    if depth > DEPTH:
        raise EntryError(f"it is nested deeper than {DEPTH} levels")
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield place, name
            yield from _texts(inner, depth + 1, f"{place}.{quoted(name)[1:-1]}".lstrip("."))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _texts(inner, depth + 1, f"{place}.{i}")
    elif isinstance(value, float) and not math.isfinite(value):
        raise EntryError(f"{place}: {value} is no finite number")
    elif isinstance(value, int) and abs(value) >= 2**63:
        raise EntryError(f"{place}: the number is too large")


def _wrong(text: str) -> str:
    if len(text) > LONGEST:
        return f"is longer than {LONGEST} characters"
    if any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in text):
        return "has control characters"
    if _ABSOLUTE.search(text):
        return "has a path of a machine"
    return ""
