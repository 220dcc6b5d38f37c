"""mcbench plot: planes, pivots, pages; what is in the figures and what is said of wrong usage."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import PLAN
from mcbench.evaluation.losses import measure
from mcbench.evaluation.protocol import Protocol
from mcbench.experiments.experiment import Experiment
from mcbench.experiments.plan import Plan, Results
from mcbench.figures.interactive_plane import interactive_plane
from mcbench.figures.paths import draw_paths, interactive_paths
from mcbench.figures.plane import draw_plane
from mcbench.landscape import scene
from mcbench.landscape.adaptive_grid import levels
from mcbench.landscape.scan import Scan, ScanOptions, scan_plane
from mcbench.landscape.straight_band import (
    STRAIGHT_BAND,
    MarkedRecord,
    joints_of,
    with_straight_band,
)
from mcbench.store.store import Store
from programs import run

CHAIN = "polychain[bends=2,epochs=3]"
METHODS = ("linear", CHAIN)
PROBLEM = ("-a", PLAN.architecture, "-r", PLAN.recipe)
QUICK = ("--grid", "4", "--evaluations", "20", "--points", "3", "--refine", "0")
KEPT: dict[str, Any] = {"architecture": PLAN.architecture, "recipe": PLAN.recipe}


@pytest.fixture(scope="module")
def connected(shared_store: Store) -> tuple[Experiment, Results]:
    """Two methods on one pair."""
    plan = Plan(**KEPT, seeds=(0, 1), methods=METHODS, protocol=Protocol(points=6, refine=1))
    experiment = Experiment(plan, shared_store)
    return experiment, experiment.run()


@pytest.fixture(scope="module")
def scanned(connected: tuple[Experiment, Results], shared_store: Store) -> Scan:
    experiment, results = connected
    drawn = scene.along_paths(experiment, results, band=True)
    return scan_plane(drawn, experiment.problem, shared_store, ScanOptions(side=5, evaluations=60))


def test_the_plane_is_that_of_the_bend(scanned: Scan) -> None:
    """The first method keeps to the line, so the second one's bend spans the plane."""
    assert f"seed 1) and the bend of {CHAIN}" in scanned.scene.title
    traces = {trace.method: trace for trace in scanned.scene.traces}
    assert list(traces) == [*METHODS, STRAIGHT_BAND]
    for name in ("linear", STRAIGHT_BAND):
        assert np.abs(traces[name].places[:, 1:]).max() < 1e-4
    joints = traces[CHAIN].joints
    highest = joints[joints[:, 1].argmax()]
    assert highest[1] == pytest.approx(traces[CHAIN].places[:, 1].max())
    assert highest[2] < 1e-4 < 1e-2 < traces[CHAIN].away
    ends = np.array([scanned.scene.marks["A"], scanned.scene.marks["B"]])
    for trace in traces.values():
        assert np.allclose(trace.places[[0, -1], :2], ends, atol=1e-5)
    assert len(traces[STRAIGHT_BAND].joints) == len(joints) == 2
    assert np.allclose(traces[STRAIGHT_BAND].joints[:, 0], ends[1, 0] * np.array([1, 2]) / 3)


def test_a_figure_of_a_plane_says_what_it_shows(scanned: Scan) -> None:
    figure = draw_plane(scanned)
    axes, bar = figure.axes[0], axes_of_bar(figure)
    assert axes.get_xlabel() == "x, along B − A (parameter units)"
    assert axes.get_ylabel() == "y, across it (parameter units)"
    assert axes.get_aspect() == 1
    assert bar.get_ylabel() == "test loss (nats)"
    ticks = [float(tick.get_text()) for tick in bar.get_yticklabels()]
    assert ticks == pytest.approx(levels(scanned.loss).tolist(), rel=0.01)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names[0] == "linear" and names[2] == STRAIGHT_BAND
    assert re.fullmatch(re.escape(CHAIN) + r" \(up to [\d.]+ off the plane\)", names[1])
    lines = {line.get_label(): line for line in axes.lines}
    assert np.allclose(lines["linear"].get_xydata(), scanned.scene.traces[0].places[:, :2])
    assert [text.get_text() for text in axes.texts] == ["A", "B"]


def axes_of_bar(figure: Any) -> Any:
    (bar,) = figure.axes[0].child_axes
    return bar


def test_a_page_of_a_plane_has_the_measured_values(scanned: Scan) -> None:
    page = interactive_plane(scanned)
    measured = next(trace for trace in page.data if trace.name == "measured points")
    assert np.allclose(measured.x, scanned.places[:, 0])
    assert f"accuracy: {scanned.accuracy[0]:.2f}%" in measured.text[0]
    assert {trace.type for trace in page.data} == {"contour", "surface", "scatter", "scatter3d"}
    contour = page.data[0]
    assert "accuracy" in contour.hovertemplate and "loss" in contour.hovertemplate
    # The surface goes through the points that were measured.
    inside = contour.customdata[0, 0], contour.customdata[-1, -1]
    corners = [
        np.abs(scanned.places - [contour.x[i], contour.y[i]]).sum(1).argmin() for i in (0, -1)
    ]
    for between, corner in zip(inside, corners, strict=True):
        expected = scanned.loss[corner], scanned.accuracy[corner]
        assert between.tolist() == pytest.approx(expected, rel=1e-4)


def test_pivots_are_measured_where_they_are(connected: tuple[Experiment, Results]) -> None:
    experiment, results = connected
    chained = with_straight_band(experiment, results)
    records = {one.method: chained.records[one.key] for one in chained.runs}
    assert list(records) == [*METHODS, STRAIGHT_BAND]
    joints = {name: one.joints for name, one in records.items() if isinstance(one, MarkedRecord)}
    assert joints["linear"] == []
    assert joints[CHAIN] == joints[STRAIGHT_BAND] == [1 / 3, 2 / 3]
    (chain,) = (one for one in results.runs if one.method == CHAIN)
    path = experiment.connector.connect(chain)
    assert joints_of(path)[1:-1] == joints[CHAIN]
    curve = records[CHAIN].curve
    assert curve.t == sorted(curve.t) and curve.position == sorted(curve.position)
    for t in joints[CHAIN]:
        values = measure(path(t), experiment.problem, Protocol())
        i = curve.t.index(t)
        assert curve.loss["test"][i] == pytest.approx(values["loss"]["test"], rel=1e-5)
    straight, line = records[STRAIGHT_BAND].curve, records["linear"].curve
    shared = [t for t in line.t if t in straight.t]
    assert len(shared) > 5
    for t in shared:
        expected = line.loss["test"][line.t.index(t)]
        assert straight.loss["test"][straight.t.index(t)] == pytest.approx(expected, rel=1e-4)
    # The stored records are as they were.
    assert not any(isinstance(record, MarkedRecord) for record in results.records.values())
    figure = draw_paths(chained, "test")
    for axes, quantity in zip(figure.axes, ("accuracy (%)", "loss (nats)"), strict=True):
        assert axes.get_ylabel() == f"test {quantity}"
        assert axes.get_xlabel() == "t, from A (0) to B (1)"
        marks = [line for line in axes.lines if line.get_marker() == "o"]
        assert [len(line.get_xdata()) for line in marks] == [2, 2]
    assert "pivots" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_page_of_paths_has_their_values(connected: tuple[Experiment, Results]) -> None:
    _, results = connected
    page = interactive_paths(results, "test")
    for one in results.runs:
        curve = results.records[one.key].curve
        drawn = [trace for trace in page.data if trace.legendgroup == one.method]
        assert drawn[0].name == f"{one.method}: {min(curve.on_grid(curve.accuracy['test'])):.2f}%"
        assert [np.array_equal(trace.x, curve.t) for trace in drawn] == [True, True]
        assert np.array_equal(drawn[0].y, curve.accuracy["test"])
        assert np.array_equal(drawn[1].y, curve.loss["test"])


def test_a_plane_is_three_files_and_needs_no_network(tmp_path: Path, shared_store: Store) -> None:
    out, html = tmp_path / "new" / "plane", tmp_path / "new" / "plane.html"
    files = ("-o", str(out), "--html", str(html), "--home", str(shared_store.root))
    done = run("plot", "--plane", "-m", CHAIN, "--error", *PROBLEM, *QUICK, *files)
    assert done.exit_code == 0, done.output
    assert done.stdout.split() == [f"{out}.png", f"{out}.svg", str(html)]
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    svg = out.with_suffix(".svg").read_text()
    assert "test error (%)" in svg and "parameter units" in svg and CHAIN in svg
    page = html.read_text()
    assert not re.search(
        r"<(script|link|img|iframe)[^>]*(src|href)\s*=\s*[\"']?(https?:)?//", page
    )
    assert "Plotly.newPlot" in page and len(page) > 10**6


def test_three_endpoints_span_a_plane_without_methods(tmp_path: Path, shared_store: Store) -> None:
    out = tmp_path / "three.svg"
    options = (*PROBLEM, *QUICK, "--endpoints", "3", "--home", str(shared_store.root))
    done = run("plot", "--plane", *options, "-o", str(out))
    assert done.exit_code == 0, done.output
    svg = out.read_text()
    assert all(
        f"{letter} (seed {seed})" in svg for letter, seed in zip("ABC", range(3), strict=True)
    )


def test_no_figure_replaces_another_silently(
    tmp_path: Path, shared_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = (
        "plot",
        "-m",
        "linear",
        *PROBLEM,
        "--points",
        "3",
        "--refine",
        "0",
        "--endpoints",
        "2",
    )
    kept = ("--home", str(shared_store.root))
    for stem in ("mcbench-paths", "mcbench-paths-2", "mcbench-paths-3"):
        assert run(*words, *kept).stdout.split() == [f"{stem}.png", f"{stem}.svg"]
    named = run(*words, *kept, "-o", "mcbench-paths-2.svg")
    assert named.stdout.split() == ["mcbench-paths-2.png", "mcbench-paths-2.svg"]
    assert "replacing mcbench-paths-2.png" in named.stderr
    assert "replacing" not in run(*words, *kept, "-o", "other").stderr


def test_the_same_picture_is_the_same_file(tmp_path: Path, shared_store: Store) -> None:
    options = (*PROBLEM, *QUICK, "--endpoints", "3", "--home", str(shared_store.root))
    for name in ("one", "two"):
        assert run("plot", "--plane", *options, "-o", str(tmp_path / name)).exit_code == 0
    for suffix in (".svg", ".png"):
        one, two = (tmp_path / f"{name}{suffix}" for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--plane", "--seed", "0", "--seed", "1"), "three endpoints, or two and a method"),
        (("--plane", "--seed", "0", "-m", "linear"), "a pair needs two endpoints"),
        (
            ("--plane", "-m", "linear", "--seed", "0", "--seed", "0"),
            "seed 0 is given more",
        ),
        (
            ("--plane", "-m", "linear", "--ensemble"),
            "give --ensemble, which is along paths, or --plane, not both",
        ),
        (
            ("--plane", "-m", "linear", "--by-length"),
            "give --by-length, which is along paths, or --plane, not both",
        ),
        (("--plane", "--chain"), "--chain marks the pivots of a method's path"),
        (("--plane", "-m", "linaer"), "did you mean 'linear'"),
        (("--plane", "-m", "linear"), "keep to the straight line"),
        (("--plane", "-d", "landscape", "-a", "ring", "--error"), "these data have no classes"),
        (("--plane", "-m", "linear", "-o", "."), "names no file"),
        (("--plane", "-m", "linear", "--html", "."), "is a directory"),
        (("-m", "linear", "--html", __file__ + "/x.html"), "test_pictures.py is no folder"),
        (("-m", "linear", "--grid", "5"), "--grid needs --plane"),
        (("-m", "linear", "--chain", "--ensemble"), "give --chain or --ensemble"),
        ((), "name a method"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_usage_is_one_line(
    words: tuple[str, ...], said: str, tmp_path: Path, shared_store: Store
) -> None:
    problem = () if "-d" in words else PROBLEM
    out = () if "-o" in words else ("-o", str(tmp_path / "x"))
    done = run("plot", *words, *problem, *out, "--home", str(shared_store.root))
    assert done.exit_code == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith("mcbench: ") and said in last
    assert not list(tmp_path.glob("x*"))


def test_a_method_that_fails_leaves_the_others(
    residual: None, tmp_path: Path, shared_store: Store
) -> None:
    out = tmp_path / "plane"
    options = ("-a", "residual", "-r", "quick[epochs=2]", *QUICK, "--home", str(shared_store.root))
    methods = ("-m", "ot", "-m", "polychain[epochs=2]")
    done = run("plot", "--plane", *methods, *options, "-o", str(out))
    assert done.exit_code == 1
    assert "mcbench: ot on pair 0-1 failed: " in done.stderr
    svg = out.with_suffix(".svg").read_text()
    assert "polychain[epochs=2]" in svg
    done = run("plot", "--plane", "-m", "ot", *options, "-o", str(tmp_path / "none"))
    assert done.exit_code == 1 and not list(tmp_path.glob("none*"))


@pytest.mark.browser
def test_the_page_works_without_a_network(scanned: Scan, tmp_path: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    from shutil import which

    from mcbench.figures.files import save_html

    chromium = which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium")
    page_file = save_html(interactive_plane(scanned), tmp_path / "plane.html")
    requests, errors = [], []
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(page_file.as_uri())
        page.wait_for_selector(".contourlayer path")
        assert page.locator(".legendtext").count() >= 3
        browser.close()
    assert (
        not errors and [r for r in requests if not r.startswith(("file:", "blob:", "data:"))] == []
    )
