"""Published leaderboards: the same bytes for the same entries, and nothing but text from them."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest
from boards import HEAD, declared, mend, register

from mcbench.errors import UsageError
from mcbench.evaluation.curve import Curve
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.record import Record
from mcbench.leaderboard import Board
from mcbench.leaderboard.board.board import Published, Row
from mcbench.leaderboard.entry import verification
from mcbench.leaderboard.entry.entry import read, write
from mcbench.leaderboard.entry.sources import sources_of
from mcbench.leaderboard.entry.verification import Verdict
from mcbench.leaderboard.site import curves, folder, pages
from mcbench.leaderboard.site.material import Material, Submission, gather
from mcbench.leaderboard.site.names import slug
from mcbench.leaderboard.submission import submission
from mcbench.leaderboard.table import readme
from mcbench.leaderboard.table.records import collect
from mcbench.plugins.host import Host, Plugin
from mcbench.report import tables
from mcbench.store.store import Store
from programs import run

SCRIPT = "<script>alert(1)</script>"
OUTSIDE = "../../x"
ATTRIBUTE = '" onmouseover="alert(1)'
TITLE = "</title><img src=x onerror=alert(1)>"

BOARD = (
    HEAD
    + """note = "How to read it."
[protocol]
points = 5
refine = 1
[columns]
train = "worst-accuracy:train"
test = "worst-accuracy:test"
[[row]]
label = "Linear"
method = "linear"
published = { test = [90.0, 1.0], train = [91.0, nan] }
[[row]]
label = "OT + WA"
method = "ot-wa"
note = "as it is"
[[row]]
label = "Arc"
method = "arc"
[[row]]
label = "A method to come"
published = { test = [95.80, 0.45] }
[[row]]
label = "End Points"
method = "endpoints"
"""
)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, shared_store: Store) -> Board:
    """A board with an entry: two methods on three pairs."""
    place = tmp_path_factory.mktemp("boards") / "small"
    board = declared(place, BOARD)
    assert not Experiment(board.plan((0, 1, 2), ("linear", "ot-wa")), shared_store).run().failures
    records = collect(board, shared_store)
    content = submission.content(board, records, shared_store, "A. Author", "on a laptop")
    write(place / "entries" / "ours.json", content)
    return board


@pytest.fixture
def known(measured: Board, fresh_host: Host) -> Board:
    """The board, so that the command line knows it."""
    register(fresh_host, measured)
    return measured


class Reader(HTMLParser):
    """What of a page could act: tags, attributes; and its text, links and anchors."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep all of it."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        """The visible text, and that of the title."""
        self.text += data

    def values(self, name: str) -> list[str]:
        """Of an attribute, over all tags."""
        return [attributes[name] for _, attributes in self.tags if name in attributes]


def harmless(files: dict[str, bytes]) -> None:
    """Nothing acts but the site's own script, and all links lead to what is there."""
    read = {name: Reader(content) for name, content in files.items() if name.endswith(".html")}
    for name, page in read.items():
        root = "../" * name.count("/")
        scripts = [attributes for tag, attributes in page.tags if tag == "script"]
        assert scripts == [{"src": f"{root}assets/site.js"}], name
        allowed = {"img", "iframe", "object", "embed", "base", "form", "style", "foreignobject"}
        assert not allowed & {tag for tag, _ in page.tags}, name
        names = {attribute for _, attributes in page.tags for attribute in attributes}
        assert not [a for a in names if a.startswith("on") or a in ("style", "srcdoc")], name
        (policy,) = [a["content"] for t, a in page.tags if a.get("http-equiv")]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        for link in page.values("href") + page.values("src"):
            path, _, anchor = link.partition("#")
            assert not re.match(r"[a-z]+:|/|\\", path, re.I), (name, link)
            target = _resolve(name, unquote(path)) if path else name
            assert target in files, (name, link)
            assert not anchor or anchor in read[target].values("id"), (name, link)
        ids = page.values("id")
        assert len(ids) == len(set(ids)), name
    for name in files:
        assert re.fullmatch(r"([a-z]+/)?[a-z0-9.-]+", name) and ".." not in name


def _resolve(page: str, link: str) -> str:
    parts = page.split("/")[:-1]
    for part in link.split("/"):
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def test_a_site_has_a_page_for_each_board_method_and_entry(measured: Board) -> None:
    files = pages.site([measured], None)
    harmless(files)
    entry = slug("small/ours")
    wanted = {"index.html", "boards/small.html", "methods/ot-wa.html", f"entries/{entry}.html"}
    assert wanted | {"methods/arc.html", "boards/small.csv", "boards/small.tex"} <= set(files)
    assert measured.folder is not None
    original = (measured.folder / "entries" / "ours.json").read_bytes()
    assert files[f"entries/{entry}.json"] == original
    board = Reader(files["boards/small.html"])
    for words in ("A small board", "Nobody, 2020", "How to read it.", "90.00 ± 1.00", "not run",
                  "mcbench has no such method yet", "OT + WA: as it is", "not verified",
                  "mcbench run --leaderboard small"):  # fmt: skip
        assert words in board.text, words
    rows = json.loads(files["boards/small.json"])["leaderboard"]
    assert f"{rows[0]['test']:.2f}" in board.text and rows[0]["count"] == 3
    page = Reader(files[f"entries/{entry}.html"])
    keys = {key for record in gather(measured, None).entries[0].records for key in [record]}
    assert len(keys) == 6 and all(key in page.text for key in keys)
    assert "A. Author" in page.text and "on a laptop" in page.text and "torch" in page.text
    method = Reader(files["methods/ot-wa.html"])
    assert (
        "matching" in method.text
        and "affine-chain" in method.text
        and "ot matching" in method.text
    )


def test_the_curves_of_a_page_are_those_of_the_records(measured: Board) -> None:
    material = gather(measured, None)
    record = material.records["linear"][0, 1]
    page = Reader(pages.rendered([material])["methods/linear.html"])
    (line,) = [
        a["data-points"]
        for tag, a in page.tags
        if tag == "path" and a["data-pair"] == "0-1" and "% " not in a["data-points"]
    ][:1]
    drawn = [tuple(map(float, point.split(","))) for point in line.split()]
    assert [t for *_, t, _ in drawn] == pytest.approx(record.curve.t, abs=1e-4)
    accuracy = record.curve.accuracy["test"]
    assert [v for *_, v in drawn] == pytest.approx(accuracy, rel=1e-4)
    heights = sorted(zip([v for *_, v in drawn], [y for _, y, *_ in drawn], strict=True))
    assert [y for _, y in heights] == sorted((y for _, y in heights), reverse=True)


def test_a_mean_curve_is_the_mean_at_every_point() -> None:
    a, b = [(0.0, 1.0), (0.5, 3.0), (1.0, 1.0)], [(0.0, 3.0), (1.0, 1.0)]
    assert curves.mean_of([a, b]) == [(0.0, 2.0), (0.5, 2.5), (1.0, 1.0)]


def test_the_same_entries_give_the_same_bytes(measured: Board) -> None:
    assert pages.site([measured], None) == pages.site([measured], None)


def test_what_came_of_verifying_is_shown(measured: Board, tmp_path: Path) -> None:
    assert measured.folder is not None
    board = replace(measured, folder=tmp_path)
    shutil.copytree(measured.folder / "entries", tmp_path / "entries")
    entry = read(tmp_path / "entries" / "ours.json")
    first, *others = [item.sha256 for item in entry.records]
    verdicts = {one: Verdict("confirmed", exact=True, points=6) for one in others}
    verdicts[first] = Verdict("differs", points=6, loss=0.5, accuracy=2.0, reason="accuracy")
    verification.write(entry, verdicts, {"points": "all", "seed": 7, "note": SCRIPT})
    files = pages.site([board], None)
    harmless(files)
    page = Reader(files[f"entries/{slug('small/ours')}.html"]).text
    assert page.count("bit for bit") == 5 and "loss by 0.5, accuracy by 2; accuracy" in page
    assert "seed" in page and SCRIPT in page
    table = Reader(files["boards/small.html"]).text
    assert "5 confirmed, 1 differs" in table or "1 differs, 5 confirmed" in table
    assert "differs when it is evaluated again" in table
    text = readme.section(board, sources_of(board, None), tmp_path)
    assert "5 confirmed" in text and "(entries/ours.json)" in text and "verified.json" not in text


def test_own_records_are_shown_only_if_they_are_wanted(
    measured: Board, shared_store: Store
) -> None:
    bare = replace(measured, folder=None)
    assert gather(bare, None).records == {}
    files = pages.site([bare], shared_store)
    harmless(files)
    assert f"entries/{slug('small/your store')}.html" in files
    assert "not run" in Reader(pages.site([bare], None)["boards/small.html"]).text


# What strangers write -----------------------------------------------------------------------


def spoil(record: Record, text: str) -> Record:
    """A record in which every free text is ``text``."""

    def changed(part: Any, names: tuple[str, ...], value: Any = text) -> Any:
        return part.model_copy(update=dict.fromkeys(names, value))

    method = changed(record.run.method, ("name", "distribution", "version"))
    parts = {name: changed(part, ("name",)) for name, part in record.problem}
    made = changed(record.provenance, ("device", "system", "time", "python"))
    return record.model_copy(
        update={
            "method": text,
            "run": changed(record.run, ("method",), method),
            "problem": record.problem.model_copy(update=parts),
            "provenance": changed(made, ("packages",), {text: text}),
            "measured": changed(record.measured, ("end",)),
        }
    )


@pytest.mark.parametrize(
    "text", [SCRIPT, OUTSIDE, ATTRIBUTE, TITLE, "javascript:alert(1)", "{{ 7*7 }}"]
)
def test_texts_of_strangers_are_harmless_and_visible(measured: Board, text: str) -> None:
    board = replace(
        measured,
        name=text,
        title=text,
        reference=text,
        note=text,
        columns={text: "worst-accuracy:test", "odd": f"{text}:test"},
        rows=(
            *measured.rows[:2],
            Row(text, text, {text: Published(1.0, 0.1)}, text),
            Row(f"{text} too", ""),
        ),
    )
    sources_of = gather(measured, None)
    records = [spoil(r, text) for r in sources_of.records["linear"].values()]
    entry = Submission(
        text,
        {"name": text, "note": text, "problem": {text: text}, "distributions": {
            text: {"version": text, "sha256": text}}},
        {r.key + text: r for r in records},
        content=b"{}",
    )  # fmt: skip
    material = Material(
        board,
        {text: {(0, 1): records[0]}, "linear": sources_of.records["linear"]},
        entries=(entry,),
        ranks={column: {} for column in board.columns},
        remarks=(text,),
    )
    files = pages.rendered([material])
    harmless(files)
    shown = Reader(files[f"boards/{slug(text)}.html"]).text
    assert shown.count(text) >= 6
    assert Reader(files[f"entries/{slug(f'{text}/{text}')}.html"]).text.count(text) >= 6
    assert text in Reader(files["index.html"]).text
    method = Reader(files[f"methods/{slug(text)}.html"]).text
    assert (text in method and "unknown method" in method.lower()) or "cannot read" in method


def test_an_entry_file_of_a_stranger(
    measured: Board, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert measured.folder is not None
    board = replace(measured, folder=tmp_path)
    whole = json.loads((measured.folder / "entries" / "ours.json").read_text())
    (tmp_path / "entries").mkdir()
    for name, text in (("<b>x", SCRIPT), ("refused", OUTSIDE)):
        record = whole["content"]["records"][0]["record"]
        record["method"] = record["provenance"]["device"] = whole["content"]["note"] = text
        mend(whole)
        (tmp_path / "entries" / f"{name}.json").write_text(json.dumps(whole))
    files = pages.site([board], None)
    harmless(files)
    page = Reader(files[f"entries/{slug('small/<b>x')}.html"]).text
    assert page.count(SCRIPT) >= 3 and "<b>x" in page
    assert f"entries/{slug('small/refused')}.html" not in files
    assert "refused.json cannot be read: a text has a path of a machine: '../../x'" in caplog.text
    text = readme.section(board, sources_of(board, None), tmp_path)
    assert "<script" not in text and "&lt;script>" in text


def test_a_plugins_method_is_only_text(fresh_host: Host, measured: Board) -> None:
    import mcbench

    class Theirs:
        """<script>alert(1)</script>"""

        name = "<script>alert`1`</script>"
        reference = ATTRIBUTE
        route = TITLE
        needs = frozenset({SCRIPT})

        @mcbench.hookimpl
        def mcbench_methods(self) -> list[Any]:
            return [self]

    fresh_host.register(Plugin("theirs", SCRIPT, SCRIPT), Theirs)
    board = replace(measured, rows=(Row("theirs", Theirs.name), *measured.rows))
    files = pages.site([board], None)
    harmless(files)
    page = Reader(files[f"methods/{slug(Theirs.name)}.html"]).text
    assert page.count(SCRIPT) >= 2 and ATTRIBUTE in page and TITLE in page and Theirs.name in page


def test_curves_with_points_that_cannot_be_drawn(measured: Board) -> None:
    curve = gather(measured, None).records["linear"][0, 1].curve
    curve.accuracy["test"][1] = float("nan")
    curve.accuracy["test"][2] = 1e300
    curve.loss["test"] = [float("inf")] * len(curve.t)
    odd: Any = SimpleNamespace(curve=curve, pair=(0, 1))
    drawn = curves.figure({"m": [odd]})
    assert [chart.title for chart in drawn.charts] == ["test accuracy (%)"]
    assert "nan" not in drawn.charts[0].strokes[0].data
    flat: Any = SimpleNamespace(curve=Curve([0, 1], accuracy={"test": [5, 5]}), pair=(0, 1))
    (chart,) = curves.figure({"m": [flat]}).charts
    assert chart.bottom >= float(chart.strokes[0].data.split(",")[1]) >= chart.top


@pytest.mark.parametrize(
    "text", [OUTSIDE, "..", ".", "", "A b", "a-b", "con/aux", "x" * 500, "ü", SCRIPT]
)
def test_names_of_files_are_safe_and_their_own(text: str) -> None:
    name = slug(text)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", name) and ".." not in name
    assert len(name) < 80
    others = [OUTSIDE, "A b", "a-b", "a b", "a/b", "A-B", slug("A b")]
    assert len({slug(other) for other in others}) == len(others)


def test_markdown_and_latex_take_texts_as_texts() -> None:
    text = r"<b>x</b> [a](javascript:b) `c` a|b \input{/etc/x} $x$ &lt; 5%"
    markdown = tables.markdown_text(text)
    assert (
        "<" not in markdown
        and "](" not in markdown
        and re.search(r"(?<!\\)[|`]", markdown) is None
    )
    latex = tables.latex_text(text)
    assert r"\input" not in latex and r"\textbackslash{}input\{" in latex and r"5\%" in latex
    shown = tables.Table("t", "a\nb", ["m"], note="one\n\\two")
    shown.add({"m": "x\n\ny"}, {"m": "x"})
    lines = tables.render([shown], "latex").splitlines()
    assert r"\caption{a b}" in lines and lines[-2:] == ["% one", r"% \two"]
    assert "x y" in tables.render([shown], "markdown")


# The folder -------------------------------------------------------------------------------


def test_only_its_own_files_are_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "site"
    folder.write({"a.html": b"1", "x/b.html": b"2"}, out)
    folder.write({"a.html": b"3"}, out)
    assert (out / "a.html").read_bytes() == b"3" and not (out / "x/b.html").exists()
    (out / "mine.html").write_text("mine")
    folder.write({"a.html": b"4"}, out)
    assert (out / "mine.html").read_text() == "mine"
    with pytest.raises(UsageError, match=r"mine\.html was not written"):
        folder.write({"a.html": b"5", "mine.html": b"5"}, out)
    assert (out / "a.html").read_bytes() == b"4"
    assert folder.stale({"a.html": b"4"}, out) == []
    assert folder.stale({"c.html": b"4"}, out) == ["a.html", "c.html"]


def test_folders_of_others_are_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match="that 'publish' did not write"):
        folder.write({"a.html": b"1"}, tmp_path)
    with pytest.raises(UsageError, match="is a file, not a folder"):
        folder.write({"a.html": b"1"}, tmp_path / "thesis.tex")
    out = tmp_path / "site"
    folder.write({"a.html": b"1"}, out)
    (out / folder.MARKER).write_text(json.dumps({"files": ["../thesis.tex"]}))
    with pytest.raises(UsageError, match="outside"):
        folder.write({"a.html": b"1"}, out)
    (out / folder.MARKER).write_text("[")
    with pytest.raises(UsageError, match="cannot be read"):
        folder.write({"a.html": b"1"}, out)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


# The command line -------------------------------------------------------------------------


def test_publish_writes_checks_and_refuses(known: Board, tmp_path: Path) -> None:
    out = str(tmp_path / "site")
    assert run("leaderboard", "publish", "small", "--out", out, "--check").exit_code == 1
    assert not (tmp_path / "site").exists()
    written = run("leaderboard", "publish", "small", "--out", out)
    assert written.exit_code == 0 and written.stdout.strip() == f"{out}/index.html"
    assert run("leaderboard", "publish", "small", "--out", out, "--check").exit_code == 0
    (tmp_path / "site/boards/small.html").write_text("altered")
    stale = run("leaderboard", "publish", "small", "--out", out, "--check")
    assert stale.exit_code == 1 and stale.stdout.strip() == f"{out}/boards/small.html is stale"
    (tmp_path / "other").mkdir()
    (tmp_path / "other/x").write_text("")
    for arguments, said in (
        (["small", "--out", str(tmp_path / "other")], "that 'publish' did not write"),
        (["smal", "--out", out], "did you mean 'small'"),
        (["small"], "name a folder with --out"),
        (["small", "--markdown", str(tmp_path / "other")], "cannot read"),
    ):
        refused = run("leaderboard", "publish", *arguments)
        assert refused.exit_code == 2 and refused.stdout == "", arguments
        (line,) = refused.stderr.strip().splitlines()
        assert line.startswith("mcbench: ") and said in line


def test_markdown_stands_between_marks(known: Board, tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    assert run("leaderboard", "publish", "small", "--markdown", str(file)).exit_code == 0
    text = file.read_text()
    first, last = readme.marks(known)
    assert text.startswith(f"# small\n\n{first}\n") and text.endswith(f"{last}\n")
    for words in (
        "| Linear",
        "Against the published",
        "6 records: ",
        "3 networks (seeds 0, 1, 2)",
    ):
        assert words in text
    changed = text.replace("| Linear", "| Linnear")
    file.write_text(f"# Mine\n\nbefore\n\n{changed[changed.index(first) :]}\nafter\n")
    pattern = str(tmp_path / "README.md")
    stale = run("leaderboard", "publish", "small", "--markdown", pattern, "--check")
    assert stale.exit_code == 1 and "| Linnear" in file.read_text()
    run("leaderboard", "publish", "small", "--markdown", pattern)
    assert file.read_text() == f"# Mine\n\nbefore\n\n{text[text.index(first) :]}\nafter\n"
    file.write_text("# Mine\n")
    refused = run("leaderboard", "publish", "small", "--markdown", pattern)
    assert refused.exit_code == 2 and "has no place for 'small'" in refused.stderr
    assert file.read_text() == "# Mine\n"


def test_differences_are_measured_less_published(measured: Board) -> None:
    records = collect(measured, None)
    linear, *_ = readme.differences(measured, records).rows
    values = [r.metrics["worst-accuracy"].values["test"] for r in records["linear"].values()]
    mean = sum(values) / len(values)
    std = (sum((v - mean) ** 2 for v in values) / (len(values) - 1)) ** 0.5
    assert linear["test: measured - published"] == f"{mean - 90:+.3f}"
    assert linear["test: combined error bar"] == f"{(std**2 + 1) ** 0.5:.3f}"
    assert linear["train: combined error bar"] == "-"  # The paper gives none.


@pytest.mark.slow
def test_the_tables_in_the_repository_are_not_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    top = Path(__file__).parents[2]
    monkeypatch.chdir(top)
    pattern = "leaderboards/{board}/README.md"
    result = run("leaderboard", "publish", "--markdown", pattern, "--check")
    assert result.exit_code == 0, (
        f"{result.output}mcbench leaderboard publish --markdown '{pattern}'"
    )
