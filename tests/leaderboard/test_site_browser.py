"""The published site in a headless Chromium: it sorts, filters, answers, and asks nobody else."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mcbench.leaderboard.board.board import Row
from mcbench.leaderboard.site import folder, pages
from mcbench.leaderboard.table.records import collect
from mcbench.leaderboard.table.table import table
from mcbench.plugins.host import host

pytestmark = pytest.mark.browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, driven by playwright."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no chromium on the path")
    with api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a board that was measured."""
    place = tmp_path_factory.mktemp("site")
    folder.write(pages.site([measured_board()], None), place)
    return place


def measured_board() -> Any:
    """A board with measured rows, and one that no method can fill."""
    board = host().get("leaderboard", "icml2020-mnist")
    return replace(board, rows=(*board.rows, Row("Nothing yet", "")))


def counts() -> tuple[int, int]:
    """How many rows the board has, and how many of them were measured."""
    board = measured_board()
    rows = table(board, collect(board, None)).data
    return len(rows), sum("test" in row for row in rows)


@pytest.fixture(scope="module", params=["file", "http"])
def origin(request: pytest.FixtureRequest, out: Path) -> Iterator[str]:
    """Where the site is: in a folder, and on a server."""
    if request.param == "file":
        yield out.as_uri()
        return

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(out)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(browser: Any, origin: str) -> Iterator[Any]:
    """A page; at the end, no error was said and no request left the origin."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    opened = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    yield opened
    context.close()
    assert asked and [url for url in asked if not url.startswith(f"{origin}/")] == []
    # A browser asks a server for an icon of its own accord.
    assert [text for text in said if "404" not in text] == []


BOARD = "boards/icml2020-mnist.html"


def labels(page: Any) -> list[str]:
    shown: list[str] = page.eval_on_selector_all(
        ".ranking tbody tr", "rows => rows.filter(r => !r.hidden).map(r => r.id)"
    )
    return shown


def test_a_table_sorts_both_ways_and_back(page: Any, origin: str) -> None:
    page.goto(f"{origin}/{BOARD}")
    declared = labels(page)
    button = page.get_by_role("button", name="test, measured")
    head = page.locator("th", has=button)
    button.click()
    assert head.get_attribute("aria-sort") == "descending"
    values = page.eval_on_selector_all(
        ".ranking tbody tr", "rows => rows.map(r => r.cells[6].dataset.value)"
    )
    known = [float(v) for v in values if v]
    rows, measured = counts()
    assert len(known) == measured > 8 and known == sorted(known, reverse=True)
    # What is missing comes last, both ways.
    assert values[measured:] == [""] * (rows - measured) != []
    button.click()
    assert head.get_attribute("aria-sort") == "ascending"
    values = page.eval_on_selector_all(
        ".ranking tbody tr", "rows => rows.map(r => r.cells[6].dataset.value)"
    )
    assert [float(v) for v in values if v] == sorted(known) and values[-1] == ""
    button.press("Enter")
    assert head.get_attribute("aria-sort") == "none" and labels(page) == declared


def test_a_table_filters_and_says_how_many(page: Any, origin: str) -> None:
    page.goto(f"{origin}/{BOARD}")
    rows, measured = counts()
    assert page.get_by_role("status").first.inner_text() == f"{rows} of {rows} rows"
    page.get_by_label("Filter rows").fill("ot whole")
    assert len(labels(page)) == 2
    assert page.get_by_role("status").first.inner_text() == f"2 of {rows} rows"
    page.get_by_label("Filter rows").fill("")
    page.get_by_label("measured only").check()
    assert len(labels(page)) == measured and "nothing" not in "".join(labels(page))
    page.get_by_label("Filter rows").fill("no such row")
    assert labels(page) == []


def test_a_method_page_opens_and_its_curve_answers(page: Any, origin: str) -> None:
    page.goto(f"{origin}/index.html")
    page.get_by_role("link", name="Two-layer networks with 2000").first.click()
    page.get_by_role("link", name="OT + WA, whole path", exact=True).first.click()
    assert page.locator("h1").inner_text() == "ot-wa"
    chart = page.locator(".chart").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    said = page.locator(".tip").first.inner_text()
    assert "pair " in said and "t = " in said and said.endswith(" %")
    assert said == page.locator(".readout").first.inner_text()
    page.mouse.move(1, 1)
    assert page.locator(".tip").first.is_hidden()


def test_curves_answer_to_keys_and_the_legend_hides_them(page: Any, origin: str) -> None:
    page.goto(f"{origin}/{BOARD}")
    chart = page.locator(".chart").first
    chart.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    first = page.locator(".readout").first.inner_text()
    page.keyboard.press("ArrowRight")
    second = page.locator(".readout").first.inner_text()
    assert "t = " in first and first.partition(":")[0] == second.partition(":")[0]
    assert first != second
    page.keyboard.press("ArrowUp")
    assert page.locator(".readout").first.inner_text().partition(":")[0] != first.partition(":")[0]
    linear = page.get_by_role("button", name="Linear", exact=True)
    count = page.locator(".line:visible").count()
    levels = page.locator(".levels").first
    axis = levels.inner_html()
    low = float(levels.locator("text").first.text_content())
    linear.click()
    assert linear.get_attribute("aria-pressed") == "false"
    assert page.locator(".line:visible").count() == count - 2  # One in each chart.
    page.get_by_role("button", name="Arc", exact=True).click()
    assert float(levels.locator("text").first.text_content()) > low  # The axis fits the rest.
    page.get_by_role("button", name="Arc", exact=True).click()
    linear.click()
    assert levels.inner_html() == axis
    assert page.locator(".line:visible").count() == count


def test_dark_is_kept_on_the_next_page(page: Any, origin: str) -> None:
    page.goto(f"{origin}/{BOARD}")

    def background() -> str:
        shown: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return shown

    light = background()
    page.get_by_role("button", name="Switch to dark colours").click()
    dark = background()
    assert light == "rgb(255, 255, 255)" and sum(map(int, dark[4:-1].split(","))) < 120
    page.goto(f"{origin}/index.html")
    assert background() == dark
    page.get_by_role("button", name="Switch to light colours").click()
    assert background() == light


def test_no_page_scrolls_sideways_on_a_phone(page: Any, origin: str, out: Path) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    paths = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.html"))
    assert len(paths) > 10
    for path in paths:
        page.goto(f"{origin}/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        # The first column stays when a table is scrolled; it must leave room for the others.
        share = page.eval_on_selector_all(
            "tbody th",
            "ths => ths.map(th => th.offsetWidth / th.closest('.scroll').clientWidth)",
        )
        assert max(share, default=0) < 0.6, path


def test_without_script_everything_is_there(browser: Any, origin: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{origin}/{BOARD}")
    assert page.get_by_role("row").count() > 13 and page.locator(".line").first.is_visible()
    assert page.locator("button").count() == 0
    context.close()


def test_the_policy_refuses_scripts_and_styles_from_elsewhere(browser: Any, out: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(f"{out.as_uri()}/{BOARD}")
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            const image = new Image();
            image.src = "http://127.0.0.1:9/x.png";
            document.body.append(image);
        }"""
    )
    page.wait_for_timeout(100)
    assert page.evaluate("window.ran") is None
    assert sum("Content Security Policy" in text for text in refused) >= 2
    context.close()
