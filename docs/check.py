"""Check the documents: links, files of the code, names of hooks, options and code blocks.

Run from the repository's top, with the standard library alone: ``python docs/check.py``. Each
fault is one line; the exit code is 1 if there is any. Links to the generated reference are checked
where it is generated, by ``python -m docs.build``; that examples run, by the tests.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote

FENCE = re.compile(r"^[ \t]*(```+|~~~+)[ \t]*([\w+-]*)")
HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$")
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")
GENERATED = "docs/reference"
"""Folder of the pages that `docs.build` makes from the code."""

ABSENT = (f"{GENERATED}/", "build/", "plugins/mcbench-NAME", "src/mcbench_NAME", "leaderboards/")
"""Beginnings of names of files that are made, or whose name is a pattern."""

EVERYWHERE = {"--help", "--version"}
"""Options that click makes by itself."""


def main() -> int:
    """Run all checks."""
    root = Path.cwd()
    checks: tuple[Callable[[Path], Iterator[str]], ...] = (
        check_links,
        check_files,
        check_hooks,
        check_options,
        check_quickstart,
        check_blocks,
    )
    faults = [fault for check in checks for fault in check(root)]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


# Markdown ----------------------------------------------------------------------------------


def documents(root: Path) -> list[Path]:
    """The Markdown files that git knows or would add; without git, all of the usual places."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    try:
        listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        names = listed.stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        patterns = ["*.md", "docs/**/*.md", "plugins/*/*.md", "leaderboards/**/*.md"]
        patterns.append("benchmarks/**/*.md")
        names = [str(p.relative_to(root)) for pattern in patterns for p in root.glob(pattern)]
    return [root / name for name in sorted(set(names)) if (root / name).is_file()]


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines, those of code blocks empty."""
    fence = ""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        mark = FENCE.match(line)
        outside = not fence and not mark
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence):
            fence = ""
        yield number, line if outside else ""


def blocks(path: Path) -> Iterator[tuple[int, str, str]]:
    """Code blocks: the line they start on, their language, their text."""
    fence, language, start = "", "", 0
    lines: list[str] = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        mark = FENCE.match(line)
        if mark and not fence:
            fence, language, start, lines = mark[1], mark[2], number, []
        elif mark and mark[1].startswith(fence) and not mark[2]:
            yield start, language, textwrap.dedent("\n".join(lines))
            fence = ""
        elif fence:
            lines.append(line)
    if fence:
        yield start, "unclosed", ""


def headings(path: Path) -> list[str]:
    """The text of all headings, with their hashes: ``## mcbench run``."""
    return [f"{m[1]} {m[2]}" for _, line in prose(path) if (m := HEADING.match(line))]


def slug(heading: str) -> str:
    """A heading's anchor as GitHub makes it."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.lstrip("#").strip())
    text = re.sub(r"[^\w\- ]", "", text.lower())
    return text.replace(" ", "-")


def anchors(path: Path) -> set[str]:
    """All anchors of a file; a heading that stands again gets -1, -2, ..."""
    names: set[str] = set()
    seen: dict[str, int] = {}
    for heading in headings(path):
        name = slug(heading)
        count = seen.get(name, 0)
        seen[name] = count + 1
        names.add(f"{name}-{count}" if count else name)
    return names


def section(path: Path, heading: str) -> tuple[int, int] | None:
    """The first and the last line of the section under a heading."""
    level = len(heading) - len(heading.lstrip("#"))
    start = None
    for number, line in prose(path):
        match = HEADING.match(line)
        if not match:
            continue
        if start is not None and len(match[1]) <= level:
            return start, number - 1
        if f"{match[1]} {match[2]}" == heading:
            start = number
    return None if start is None else (start, len(path.read_text().splitlines()))


# Checks ------------------------------------------------------------------------------------


def check_links(root: Path) -> Iterator[str]:
    """Relative links point at files, and anchors at headings, that exist."""
    for path in documents(root):
        text = re.sub(r"`[^`\n]*`", "", "\n".join(line for _, line in prose(path)))
        for match in LINK.finditer(text):
            fault = broken(root, path, match[1])
            if fault:
                number = text.count("\n", 0, match.start(1)) + 1
                yield f"{path.relative_to(root)}:{number}: link '{match[1]}': {fault}"


def broken(root: Path, path: Path, target: str) -> str:
    """The fault of a link, or nothing."""
    if re.match(r"[a-z][a-z0-9+.-]*:", target):
        return ""
    name, _, anchor = target.partition("#")
    place = path.parent / unquote(name) if name else path
    if place.resolve().is_relative_to((root / GENERATED).resolve()):
        return ""
    if not place.exists():
        return "there is no such file"
    if not place.resolve().is_relative_to(root.resolve()):
        return "it leaves the repository"
    if anchor and place.suffix == ".md" and anchor not in anchors(place):
        return "there is no such heading"
    return ""


def check_files(root: Path) -> Iterator[str]:
    """Files of the code that CONTRIBUTING names exist, in the repository or in ``mcbench/``."""
    for name in re.findall(r"`([\w.-]+/[\w./-]*)`", (root / "CONTRIBUTING.md").read_text()):
        places = root / name, root / "mcbench" / name
        if not name.startswith(ABSENT) and not any(place.exists() for place in places):
            yield f"CONTRIBUTING.md: there is no file '{name}'"


def check_hooks(root: Path) -> Iterator[str]:
    """Every hook that a document names exists."""
    names = {name for path in root.glob("mcbench/plugins/hookspecs/*.py") for name in hooks(path)}
    packages = {p.name for p in root.glob("plugins/*/src/*")}
    for path in documents(root):
        for name in sorted(set(re.findall(r"\bmcbench_[a-z_]+\b", path.read_text()))):
            if name not in names | packages and not named_here(name, path):
                yield f"{path.relative_to(root)}: '{name}' is no hook"


def named_here(name: str, path: Path) -> bool:
    """Whether a document makes a module of that name: an entry point's value, in TOML."""
    return any(f'"{name}"' in text for _, language, text in blocks(path) if language == "toml")


def hooks(path: Path) -> list[str]:
    """The names of the hooks that a file specifies."""
    return [
        node.name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(d, ast.Name) and d.id == "hookspec" for d in node.decorator_list)
    ]


def check_options(root: Path) -> Iterator[str]:
    """Every option in a command of the documents, and in docs/cli.md, exists."""
    existing = EVERYWHERE | {o for p in root.glob("mcbench/cli/**/*.py") for o in options(p)}
    for path in documents(root):
        for number, line in commands(path):
            for option in OPTION.findall(line):
                if option not in existing:
                    yield f"{path.relative_to(root)}:{number}: there is no option '{option}'"


def commands(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines of shell blocks that call mcbench; all lines of docs/cli.md."""
    if path.name == "cli.md":
        yield from enumerate(path.read_text().splitlines(), 1)
        return
    for start, language, text in blocks(path):
        for number, line in enumerate(text.splitlines(), start + 1):
            if language == "sh" and re.match(r"([A-Z_]+=\S* )*mcbench ", line):
                yield number, line


def options(path: Path) -> Iterator[str]:
    """The long options that a module declares with ``click.option``."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "click.option":
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield from OPTION.findall(argument.value)


def check_quickstart(root: Path) -> Iterator[str]:
    """README's Quickstart has two bash blocks of one line; CI runs the second."""
    readme = root / "README.md"
    place = section(readme, "## Quickstart")
    if place is None:
        yield "README.md: there is no section '## Quickstart'"
        return
    first, last = place
    commands = [
        (number, text)
        for number, language, text in blocks(readme)
        if first <= number <= last and language == "bash"
    ]
    if len(commands) != 2:
        yield f"README.md: Quickstart has {len(commands)} bash blocks, not 2"
    for number, text in commands:
        if len(text.splitlines()) != 1:
            yield f"README.md:{number}: a Quickstart command is one line"
    executed = (root / ".ci/run").read_text().splitlines()
    if len(commands) == 2 and commands[1][1] not in executed:
        yield f"README.md:{commands[1][0]}: .ci/run does not execute this command"


def check_blocks(root: Path) -> Iterator[str]:
    """Code blocks are closed; Python compiles, TOML parses."""
    for path in documents(root):
        for number, language, text in blocks(path):
            fault = unreadable(language, text)
            if fault:
                yield f"{path.relative_to(root)}:{number}: {fault}"


def unreadable(language: str, text: str) -> str:
    """The fault of a code block, or nothing."""
    try:
        if language == "python":
            compile(text, "block", "exec")
        elif language == "toml":
            tomllib.loads(text)
    except (SyntaxError, tomllib.TOMLDecodeError) as error:
        return f"the {language} block cannot be read: {error}"
    return "the code block is not closed" if language == "unclosed" else ""


if __name__ == "__main__":
    sys.exit(main())
