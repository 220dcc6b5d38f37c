"""The examples in README, tutorials and guides run as they stand there, in small.

Comments before a block direct the test:

- ``<!-- file: PATH -->``: the block is that file.
- ``<!-- not run: REASON -->``: it needs data, or more time than a test has.
- ``<!-- fails: CODE -->``: its last command ends with that exit code.

Commands that train or evaluate get a narrow network, two epochs, two endpoints and three points
where they name nothing else. Everything else is as the reader would type it.
"""

from __future__ import annotations

import importlib
import os
import re
import shlex
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from mcbench.cli import main
from mcbench.plugins.host import host
from programs import environment

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from docs import check  # noqa: E402

DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "docs" / "plugins.md",
    *sorted((ROOT / "docs" / "tutorial").glob("*.md")),
    *sorted((ROOT / "docs" / "guides").glob("*.md")),
]

SMALL = {
    "run": (("-a", "--architecture"), "mlp2[width=8]"),
    "recipe": (("-r", "--recipe"), "quick[epochs=2]"),
    "endpoints": (("--endpoints", "-s", "--seed"), "2"),
    "points": (("--points",), "3"),
    "refine": (("--refine",), "0"),
}
TRAINING = ("run", "plot", "train", "ensemble", "explore")
PATHS = ("run", "plot", "explore")

DIRECTIVE = re.compile(r"<!-- (file|not run|fails): (.*?) -->")


def blocks(document: Path) -> Iterator[tuple[int, str, str, dict[str, str]]]:
    """Line, language, text and directives of each code block."""
    lines = document.read_text().splitlines()
    for number, language, text in check.blocks(document):
        directives: dict[str, str] = {}
        for line in reversed(lines[: number - 1]):
            match = DIRECTIVE.fullmatch(line.strip())
            if line.strip() and not match:
                break
            if match:
                directives[match[1]] = match[2]
        yield number, language, text, directives


def small(words: list[str]) -> list[str]:
    """The command with small settings for what it does not name."""
    verb = words[0] if words else ""
    if verb not in TRAINING or {"-l", "--leaderboard", "--help"} & set(words):
        return words
    added = []
    for names, value in SMALL.values():
        path_only = names[0] in ("--points", "--refine")
        if not set(names) & set(words) and (verb in PATHS or not path_only):
            added += [names[0], value]
    return [*words, *added]


class Reader:
    """A reader who types the blocks of a document, in a folder of their own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        self.packages = folder / "site-packages"

    def type(self, line: str, expected: int) -> None:
        """Carry out one line of a shell block."""
        words = shlex.split(line, comments=True)
        words, out = (words[:-2], words[-1]) if ">" in words else (words, "")
        with self.monkeypatch.context() as patch:
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                patch.setenv(*words.pop(0).split("=", 1))
                host.cache_clear()
            if not words:
                return
            program, *rest = words
            if program == "mcbench":
                printed = self.mcbench(rest, expected)
                if out:
                    (self.folder / out).write_text(printed)
            elif program == "pip":
                self.pip(rest)
            elif (program, rest[:2]) == ("python", ["-m", "pytest"]):
                self.pytest(rest[2:])
            else:
                pytest.fail(f"do not know how to run '{line}': add a comment 'not run: REASON'")
        host.cache_clear()

    def mcbench(self, words: list[str], expected: int) -> str:
        """Run it in this process: a new one would spend its time importing torch."""
        done = CliRunner().invoke(main, small(words), prog_name="mcbench")
        assert done.exit_code == expected, f"mcbench {shlex.join(words)}: {done.output}"
        return done.stdout

    def pip(self, words: list[str]) -> None:
        """Install packages that the document wrote; others are installed already or not needed."""
        sources = [
            self.folder / w for w in words if (self.folder / w / "pyproject.toml").is_file()
        ]
        assert words[0] == "install"
        for source in sources:
            subprocess.run(
                [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index",
                 "--no-build-isolation", "--disable-pip-version-check", "--upgrade",
                 "--target", str(self.packages), str(source)],
                check=True, capture_output=True, text=True,
            )  # fmt: skip
            # As with -e, the module is the file that the reader goes on to change.
            for module in source.glob("mcbench_*.py"):
                (self.packages / module.name).unlink()
                (self.packages / module.name).symlink_to(module)
        importlib.invalidate_caches()
        host.cache_clear()

    def pytest(self, words: list[str]) -> None:
        """Run the tests that the document wrote; all must pass."""
        path = os.pathsep.join([str(self.packages), os.environ.get("PYTHONPATH", "")])
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words],
            env=environment(PYTHONPATH=path), cwd=self.folder, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert " passed" in done.stdout


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "site-packages")])
    before = set(sys.modules)
    yield Reader(tmp_path, monkeypatch)
    for name in set(sys.modules) - before:
        if name.startswith("mcbench_") and str(tmp_path) in str(
            getattr(sys.modules[name], "__file__", "")
        ):
            del sys.modules[name]
    host.cache_clear()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: str(d.relative_to(ROOT)))
def test_examples_run(document: Path, reader: Reader, capsys: pytest.CaptureFixture[str]) -> None:
    carried_out = 0
    for number, language, text, directives in blocks(document):
        where = f"{document.relative_to(ROOT)}:{number}"
        if "not run" in directives:
            assert len(directives["not run"]) > 10, f"{where}: say why"
            continue
        if "file" in directives:
            place = reader.folder / directives["file"]
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text + "\n")
            forget(place)
        elif language == "sh":
            lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
            for i, line in enumerate(lines, 1):
                reader.type(line, int(directives.get("fails", 0)) if i == len(lines) else 0)
        elif language == "python":
            execute(text, where)
        else:
            continue
        carried_out += 1
    if not carried_out:
        pytest.skip("every block of it says why it is not run")


def forget(place: Path) -> None:
    """Drop an imported module, so that its new file is imported."""
    sys.modules.pop(place.stem, None)
    importlib.invalidate_caches()
    host.cache_clear()


def execute(text: str, where: str) -> None:
    """Execute a block of Python as a module of its own."""
    module = sys.modules["example"] = types.ModuleType("example")
    module.__file__ = where
    try:
        exec(compile(text, where, "exec", dont_inherit=True), vars(module))
    finally:
        del sys.modules["example"]
