"""Build the documentation site: ``python -m docs.build [--out DIR]``, in the repository's top.

The documents are laid out as they lie in the repository, so that their links hold, with the
reference beside them: commands by mkdocs-click, the Python interface by mkdocstrings, the other
pages by `docs.pages` from the running code. Zensical makes the site, and its warnings are errors.
The site is readable from a file and asks for nothing that is not beside it; its search needs a
server, such as ``python -m http.server -d build/docs``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from docs import check

ROOT = Path(__file__).resolve().parent.parent

GENERATED = check.GENERATED

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
"""Colours of Zensical's warnings, which it also writes where there is no terminal."""

COMMANDS = """# Commands

What `mcbench VERB --help` prints, for all verbs; plugins may add further ones. Exit codes,
environment variables and completion are in [Command line](../cli.md).

::: mkdocs-click
    :module: mcbench.cli
    :command: main
    :prog_name: mcbench
    :depth: 1
    :style: plain
"""
"""The page of the commands, for mkdocs-click; its tables know nothing of click 8.2's defaults."""

INTERFACE = """# Python interface

All public names of `mcbench`: plugins import nothing else of it. `Path` stands for `mcbench.Path`.
"""

MKDOCSTRINGS = {
    "docstring_style": "google",
    "docstring_section_style": "list",
    # Arguments that are described together, as "mean, std: ...", are no single parameter.
    "docstring_options": {"warn_unknown_params": False, "warn_missing_types": False},
    "heading_level": 2,
    "members_order": "source",
    "merge_init_into_class": True,
    "separate_signature": True,
    "show_bases": False,
    "show_root_full_path": False,
    "show_root_heading": True,
    "show_signature_annotations": True,
    "show_source": False,
}

NAVIGATION: list[tuple[str, list[tuple[str, str]]]] = [
    ("Tutorials", [
        ("First run", "docs/tutorial/first-run.md"),
        ("First plugin", "docs/tutorial/first-plugin.md"),
        ("First leaderboard", "docs/tutorial/first-leaderboard.md"),
    ]),
    ("How-to guides", [
        ("Compare methods", "docs/guides/compare.md"),
        ("Use results in papers and programs", "docs/guides/results.md"),
        ("See the landscape", "docs/guides/draw-planes.md"),
        ("Explore several endpoints", "docs/guides/explore.md"),
        ("Try methods on landscapes", "docs/guides/landscapes.md"),
        ("Use your own images", "docs/guides/own-images.md"),
        ("Resume and clean up", "docs/guides/resume.md"),
        ("Add a metric", "docs/guides/add-a-metric.md"),
        ("Read and cite a leaderboard", "docs/guides/cite.md"),
        ("Join differently trained networks", "docs/guides/strategies.md"),
        ("Track runs with MLflow", "docs/guides/track.md"),
        ("Write a plugin", "docs/plugins.md"),
        ("Check a plugin", "docs/testing.md"),
    ]),
    ("Reference", [
        ("Command line", "docs/cli.md"),
        ("Commands", f"{GENERATED}/commands.md"),
        ("Methods", f"{GENERATED}/methods"),
        ("Metrics", f"{GENERATED}/metrics"),
        ("Data sets", f"{GENERATED}/datasets"),
        ("Architectures", f"{GENERATED}/architectures"),
        ("Recipes", f"{GENERATED}/recipes"),
        ("Ensembles", f"{GENERATED}/ensembles"),
        ("Matchings", f"{GENERATED}/matchings"),
        ("Interpolations", f"{GENERATED}/interpolations"),
        ("Adjustments", f"{GENERATED}/adjustments"),
        ("Executors", f"{GENERATED}/executors"),
        ("Leaderboards", f"{GENERATED}/leaderboards"),
        ("Leaderboards of ensembles", f"{GENERATED}/ensemble_boards"),
        ("Hooks", f"{GENERATED}/hooks.md"),
        ("Python interface", f"{GENERATED}/api.md"),
        ("Records", f"{GENERATED}/record.md"),
        ("Data", "docs/data.md"),
        ("Store", "docs/store.md"),
        ("Leaderboard files", "docs/leaderboards.md"),
    ]),
    ("Explanation", [
        ("Vocabulary", "docs/index.md"),
        ("How the methods work", "docs/methods.md"),
        ("What is measured", "docs/metrics.md"),
        ("What makes a path good", "docs/explanation/criteria.md"),
        ("How ranks are computed", "docs/explanation/ranks.md"),
        ("Traps in the numbers", "docs/explanation/traps.md"),
        ("Odd data", "docs/explanation/odd-data.md"),
        ("Odd networks", "docs/explanation/odd.md"),
    ]),
    ("Project", [
        ("Contributing", "CONTRIBUTING.md"),
        ("Changes", "CHANGELOG.md"),
    ]),
]  # fmt: skip


def main() -> int:
    """Stage, generate, build, check."""
    parser = argparse.ArgumentParser(prog="python -m docs.build", description="Build the site.")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "docs", metavar="DIR")
    out = parser.parse_args().out.resolve()
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder)
        lay_out(stage / "content")
        result = zensical(stage)
        if result.returncode:
            print(COLOUR.sub("", result.stdout + result.stderr), file=sys.stderr)
            return 1
        faults = sorted(set(outside(stage / "site")))
        if faults:
            print("\n".join(faults[:20]), file=sys.stderr)
            return 1
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(stage / "site", out)
    print(f"{sum(1 for _ in out.rglob('*.html'))} pages in {out}")
    return 0


def lay_out(content: Path) -> None:
    """Write the documents as they lie in the repository, and the generated reference."""
    texts = {str(p.relative_to(ROOT)): p.read_text() for p in check.documents(ROOT)}
    texts |= reference()
    for name, text in texts.items():
        place = content / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        for target in linked_files(text):
            source = (ROOT / name).parent / target
            if source.is_file() and source.suffix != ".md" and source.is_relative_to(ROOT):
                copy = place.parent / target
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, copy)


def reference() -> dict[str, str]:
    """The generated pages by their place."""
    import mcbench
    from docs.pages import components, hooks, record

    pages = dict(components.pages())
    pages |= {"commands.md": COMMANDS, "hooks.md": hooks.page(), "record.md": record.page()}
    pages["api.md"] = "\n\n".join([INTERFACE, *(f"::: mcbench.{n}" for n in mcbench.__all__)])
    return {f"{GENERATED}/{name}": f"{text}\n" for name, text in pages.items()}


def linked_files(text: str) -> Iterator[str]:
    """Files of the repository that a document links to, without anchors."""
    for target in check.LINK.findall(text):
        name = target.partition("#")[0]
        if name and not re.match(r"[a-z][a-z0-9+.-]*:", name):
            yield name


def navigation(content: Path) -> list[dict[str, object]]:
    """The tree of pages; a folder stands for its index and all pages in it."""
    tree: list[dict[str, object]] = [{"Home": "README.md"}]
    for title, entries in NAVIGATION:
        branch: list[object] = []
        for name, place in entries:
            if not (content / place).exists():
                raise SystemExit(f"docs/build.py: NAVIGATION names {place}: there is no such file")
            if (content / place).is_dir():
                below: list[object] = [f"{place}/index.md"]
                others = sorted(p.stem for p in (content / place).glob("*.md"))
                below += [{n: f"{place}/{n}.md"} for n in others if n != "index"]
                branch.append({name: below})
            else:
                branch.append({name: place})
        tree.append({title: branch})
    return tree


def zensical(stage: Path) -> subprocess.CompletedProcess[str]:
    """Make the site; warnings are errors."""
    settings = {
        "site_name": "mcbench",
        "site_description": "The benchmarking suite for mode connectivity",
        "docs_dir": "content",
        "site_dir": "site",
        # Without a server, a folder is no page. The search does need a server: what would make
        # it work from a file (the plugin "offline") asks for a script from elsewhere.
        "use_directory_urls": False,
        "nav": navigation(stage / "content"),
        "plugins": [
            "search",
            {"mkdocstrings": {"handlers": {"python": {
                "paths": [str(ROOT)], "options": MKDOCSTRINGS,
            }}}},
        ],
        "theme": {
            # No fonts from elsewhere.
            "font": False,
            "features": ["navigation.indexes", "navigation.top", "content.code.copy"],
            "palette": [
                {"scheme": scheme, "toggle": {"icon": f"lucide/{icon}", "name": f"{other} mode"}}
                for scheme, icon, other in (("default", "sun", "Dark"), ("slate", "moon", "Light"))
            ],
        },
        "markdown_extensions": [
            "tables", "admonition", "attr_list", "md_in_html", "pymdownx.superfences",
            {"toc": {"permalink": True}},
            {"pymdownx.highlight": {"pygments_lang_class": True}},
            "mkdocs-click",
            "docs.pages.mathml",
        ],
    }  # fmt: skip
    # JSON is YAML: nothing has to write it.
    (stage / "mkdocs.yml").write_text(json.dumps(settings, indent=1))
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return subprocess.run(
        [*command, "--config-file", str(stage / "mkdocs.yml")], cwd=stage,
        env={**os.environ, "PYTHONPATH": path, "NO_COLOR": "1"}, capture_output=True, text=True,
    )  # fmt: skip


# Requests of a page ------------------------------------------------------------------------


class Requests(HTMLParser):
    """Addresses that a browser asks for when it opens a page, without links to be followed."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect sources of any tag, and targets of ``link``."""
        values = dict(attrs)
        names = ["src", "srcset", "data", "poster"]
        names += ["href"] if tag == "link" and values.get("rel") != "canonical" else []
        self.addresses += [value for name in names if (value := values.get(name))]


def outside(site: Path) -> Iterator[str]:
    """Requests of the site's pages and style sheets that leave it."""
    for path in site.rglob("*.html"):
        parser = Requests()
        parser.feed(path.read_text())
        for address in parser.addresses:
            if re.match(r"(https?:)?//", address):
                yield f"{path.relative_to(site)} asks for {address}"
    for path in site.rglob("*.css"):
        for address in re.findall(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')]+)",
                                  path.read_text()):  # fmt: skip
            yield f"{path.relative_to(site)} asks for {address}"


if __name__ == "__main__":
    sys.exit(main())
