"""The reference says all that the code declares, and the site is made of it without a warning."""

from __future__ import annotations

import functools
import html
import http.server
import importlib.util
import inspect
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import mcbench
from mcbench.cli import main
from mcbench.plugins import hookspecs, parameters
from mcbench.plugins.host import KINDS, host

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from docs import build  # noqa: E402
from docs.pages import components, hooks, text  # noqa: E402


@pytest.mark.parametrize("hook", hooks.names())
def test_no_hook_is_undocumented(hook: str) -> None:
    """A description, every argument by name, an example; and all of it is on the page."""
    function = getattr(hookspecs, hook)
    documented = inspect.cleandoc(function.__doc__)
    said, mark, example = documented.partition("Example::\n")
    assert len(said.split()) > 6, f"{hook} has no description"
    assert mark and f"def {hook}(" in example, f"{hook} has no example"
    arguments = list(inspect.signature(function).parameters)
    for argument in arguments:
        assert f"``{argument}``" in said, f"{hook} does not say what '{argument}' is"
    section = hooks.page().partition(f"### {hook}({', '.join(arguments)})\n")[2]
    assert text.prose(said.split("\n\n")[0]) in section
    assert f"def {hook}(" in section.partition("\n### ")[0]


def test_every_hook_of_the_host_is_on_the_page() -> None:
    from mcbench.plugins.host import Host

    registered = Host(only=set()).manager.hook
    assert {name for name in vars(registered) if not name.startswith("_")} == set(hooks.names())
    assert set(KINDS.values()) <= set(hooks.names())


def test_every_component_has_a_page_with_what_it_declares() -> None:
    pages = dict(components.pages())
    assert components.kinds_without_page() == set()
    for kind in components.TITLES:
        folder = KINDS[kind].removeprefix("mcbench_")
        for name in host().names(kind):
            page = pages[f"{folder}/{name}.md"]
            assert f"[{name}]({name}.md)" in pages[f"{folder}/index.md"]
            component = host().find(kind, name).component
            for parameter in parameters.parameters(component).values():
                assert text.code(parameter.name) in page, f"{name}: {parameter.name}"
                assert text.cell(parameter.help) in page
            reference = getattr(component, "reference", "")
            assert text.cell(reference) in page


def test_a_method_s_page_has_formula_use_and_what_was_measured() -> None:
    page = components.page("method", "ot-wa")
    assert r"F^\top (F F^\top + \lambda I)^{-1}" in page  # of its adjustment
    assert r"$\sum_i |\theta_i^A - \theta_{p(i)}^B|^2$" in page  # of its matching
    assert "## When to use it" in page and text.code("cutoff") in page
    for name in host().names("method"):
        page = components.page("method", name)
        assert "## When to use it" in page, f"{name} does not say when to use it"
        assert "$" in page, f"{name} has no formula"
        assert "## Measured" in page
    linear = components.page("method", "linear")
    measured = linear.partition("### icml2020-mnist")[2]
    assert "6 pairs" in measured and re.search(r"\| 9\d\.\d\d ± \d", measured)


def verbs(command: click.Command, context: click.Context) -> Iterator[tuple[str, list[str]]]:
    yield context.command_path, [o for p in command.params for o in p.opts if o.startswith("--")]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from verbs(below, click.Context(below, context, info_name=name))


def test_docstrings_become_markdown() -> None:
    made = text.docstring(
        r"""First :math:`x_i < \infty` and ``code``, costs $1 <b>*.

        Arguments:
            a, b: Two
                things.

        Raises:
            UsageError: If `a` is wrong.

        Example::

            f(1)
        """
    )
    assert made == (
        "First $x_i < \\infty$ and `code`, costs &#36;1 &lt;b&gt;&#42;.\n\n"
        "**Arguments**\n\n- <code>a, b</code>: Two things.\n\n"
        "**Raises**\n\n- <code>UsageError</code>: If `a` is wrong.\n\n"
        "**Example**\n\n```python\nf(1)\n```"
    )
    assert text.cell("a | b\nc") == "a &#124; b c"
    assert text.table(["x", "y"], [["1", ""], ["2", ""]]) == "| x |\n| --- |\n| 1 |\n| 2 |"


def test_what_leaves_the_site_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<link rel="stylesheet" href="//fonts.example/x.css"><a href="https://fine.example">'
        '<script src="https://cdn.example/x.js"></script><img src="here.png">'
        '<link rel="canonical" href="https://fine.example">'
    )
    (tmp_path / "b.css").write_text("@import 'https://cdn.example/y.css'; a { b: url(c.woff) }")
    assert sorted(build.outside(tmp_path)) == [
        "a.html asks for //fonts.example/x.css",
        "a.html asks for https://cdn.example/x.js",
        "b.css asks for https://cdn.example/y.css",
    ]


def needs(*modules: str) -> pytest.MarkDecorator:
    missing = [m for m in modules if importlib.util.find_spec(m) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


SITE_BUILDERS = needs("zensical", "latex2mathml", "mkdocstrings_handlers", "mkdocs_click")


@needs("markdown", "latex2mathml")
def test_formulas_become_mathml_and_unknown_commands_are_refused() -> None:
    from markdown import markdown

    made = markdown(
        r"$a_1$ is not `$a_1$` nor $HOME/$USER; $$|x|$$ :math:`b`",
        extensions=["docs.pages.mathml"],
    )
    assert made.count("<math") == 3 and "<msub>" in made and 'display="block"' in made
    assert "<code>$a_1$</code>" in made and "$HOME/$USER" in made
    with pytest.raises(ValueError, match="cannot be converted"):
        markdown(r"$\nosuchthing{x}$", extensions=["docs.pages.mathml"])


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documents and the generated reference, laid out."""
    folder = tmp_path_factory.mktemp("site")
    build.lay_out(folder / "content")
    return folder


@SITE_BUILDERS
def test_the_site_is_made_without_a_warning_and_asks_for_nothing_outside(content: Path) -> None:
    made = build.zensical(content)
    assert made.returncode == 0, build.COLOUR.sub("", made.stdout + made.stderr)
    site = content / "site"
    assert list(build.outside(site)) == []
    page = (site / "docs" / "reference" / "methods" / "ot.html").read_text()
    assert "<math" in page and 'href="../matchings/ot.html"' in page
    for path in site.rglob("*.html"):
        shown = re.sub(r"<(code|pre)[ >].*?</\1>", "", path.read_text(), flags=re.S)
        assert ":math:" not in shown, f"{path}: a formula is left"
        assert not re.search(r"\$[^$\n]*\\[a-z]+[^$\n]*\$", html.unescape(shown)), path
    every_public_name_is_described((site / "docs/reference/api.html").read_text())
    every_command_and_option_is_described((site / "docs/reference/commands.html").read_text())


def every_public_name_is_described(page: str) -> None:
    """Test that each section has more than its heading."""
    for name in mcbench.__all__:
        section = page.partition(f'<h2 id="mcbench.{name}"')[2].partition("<h2 ")[0]
        words = re.sub("<[^>]+>", " ", section).split()
        assert len(words) > 8, f"mcbench.{name} has no description"


def every_command_and_option_is_described(page: str) -> None:
    """Test that each verb has a section with its options."""
    sections = list(verbs(main, click.Context(main, info_name="mcbench")))
    assert len(sections) > 12
    for path, options in sections:
        section = re.split("<h[1-6] ", page.partition(f' id="{path.replace(" ", "-")}"')[2])[0]
        assert section, path
        for option in options:
            assert option in section, f"{path} {option}"


@SITE_BUILDERS
def test_a_link_that_leads_nowhere_is_an_error(content: Path) -> None:
    page = content / "content" / "docs" / "index.md"
    before = page.read_text()
    try:
        page.write_text(before + "\n[wrong](reference/hooks.md#mcbench_nothing)\n")
        made = build.zensical(content)
    finally:
        page.write_text(before)
    assert made.returncode != 0
    assert "anchor does not exist" in build.COLOUR.sub("", made.stdout + made.stderr)


@SITE_BUILDERS
@needs("playwright")
@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
def test_in_a_browser_it_asks_for_nothing_outside_and_finds_words(content: Path) -> None:
    """Served from here: no request leaves, nothing is wrong on the console, search works."""
    from playwright.sync_api import expect, sync_playwright

    if not (content / "site" / "index.html").is_file():
        assert build.zensical(content).returncode == 0
    handler = functools.partial(Quiet, directory=str(content / "site"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{server.server_port}/"
    asked: list[str] = []
    wrong: list[str] = []
    try:
        with sync_playwright() as play:
            browser = play.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            page = browser.new_page()
            page.on("request", lambda request: asked.append(request.url))
            page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.goto(f"{origin}docs/reference/methods/ot-wa.html")
            assert page.locator("math").count() > 5
            page.goto(f"{origin}index.html")
            page.wait_for_load_state("networkidle")  # Before that, no script listens to keys.
            page.keyboard.press("Control+k")
            page.wait_for_timeout(1000)  # The field takes the focus after the dialog has opened.
            page.keyboard.type("butterfly")
            expect(page.locator("mark", has_text="butterfly").first).to_be_visible(timeout=30_000)
            browser.close()
    finally:
        server.shutdown()
    assert [url for url in asked if not url.startswith((origin, "data:", "blob:"))] == []
    assert wrong == []


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Says nothing of its requests."""

    def log_message(self, format: str, *args: object) -> None:
        """Not to the test's output."""
