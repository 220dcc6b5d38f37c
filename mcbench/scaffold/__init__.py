"""Templates of the package of a new plugin, and the function that fills them.

Templates are `string.Template` texts beside this file: ``package`` has the files of all packages,
``kinds`` the module, its test and the README's paragraph of each kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from string import Template

from mcbench.errors import UsageError
from mcbench.plugins.host import host, plural
from mcbench.version import VERSION

HERE = Path(__file__).parent

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def write(name: str, kind: str, into: Path, force: bool = False) -> tuple[Path, list[Path]]:
    """Write the package ``mcbench-NAME``.

    Arguments:
        name: Name of the plugin and of its component.
        kind: Kind of the component.
        into: Directory in which the folder is made.
        force: Whether existing files are overwritten.

    Returns:
        The folder, and the files that were written.

    Raises:
        UsageError: If the name is unusable or taken, or a file is there already.
    """
    _check_name(name, kind, force)
    folder = into / f"mcbench-{name}"
    files = {folder / place: text for place, text in render(name, kind).items()}
    existing = [file for file in files if file.exists()]
    if existing and not force:
        raise UsageError(f"{existing[0]} exists: choose another name or --into, or add --force")
    for file, text in files.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        except OSError as error:
            raise UsageError(f"cannot write {file}: {error.strerror or error}") from None
    return folder, list(files)


def _check_name(name: str, kind: str, force: bool) -> None:
    """Test that a plugin can have this name; with ``force`` its package may be installed already.

    Raises:
        UsageError: If the name cannot be a package's, or another plugin has it.
    """
    if name.startswith("mcbench-"):
        short = name.removeprefix("mcbench-")
        raise UsageError(f"'{name}': leave out 'mcbench-', the package will be mcbench-{short}")
    if not NAME.fullmatch(name):
        raise UsageError(
            f"'{name}' cannot be a plugin's name: take small letters, digits and single hyphens, "
            "a letter first"
        )
    own = f"mcbench-{name}"
    for plugin in host().listing():
        if force and plugin.distribution == own:
            continue
        if name == plugin.name or own == plugin.distribution:
            raise UsageError(f"the name '{name}' is taken by the plugin of {plugin.distribution}")
        if name in plugin.provides.get(plural(kind), []):
            raise UsageError(f"{plugin.distribution} already provides the {kind} '{name}'")


def render(name: str, kind: str) -> dict[str, str]:
    """Texts of the package's files, by their places."""
    words = name.split("-")
    values = {
        "name": name,
        "kind": kind,
        "module": f"mcbench_{'_'.join(words)}",
        "cls": "".join(word.capitalize() for word in words),
        "version": ".".join(VERSION.split(".")[:2]),
        "steps": "\n".join(_try(name, kind)),
        "random_problem": (HERE / "kinds" / "random_problem.in").read_text().strip(),
    }

    def filled(template: str) -> str:
        return Template((HERE / template).read_text()).substitute(values)

    values["example"] = filled(f"kinds/{kind}.md.in").strip()
    return {
        "pyproject.toml": filled("package/pyproject.toml.in"),
        "README.md": filled("package/README.md.in"),
        ".gitignore": filled("package/gitignore.in"),
        ".github/workflows/tests.yml": filled("package/tests.yml.in"),
        f"tests/test_{'_'.join(words)}.py": filled(f"kinds/{kind}.test.in"),
        f"src/{values['module']}/__init__.py": filled(f"kinds/{kind}.py.in"),
    }


def next_steps(name: str, kind: str, folder: Path) -> Iterator[str]:
    """Commands that install, check and run the new plugin."""
    yield f"pip install -e '{folder}[test]'"
    yield from _try(name, kind)
    yield f"python -m pytest {folder}"


def _try(name: str, kind: str) -> list[str]:
    small = "-a 'mlp2[width=16]' -r 'quick[epochs=15]' --endpoints 3"
    run = {
        "method": f"mcbench run -m {name} -m linear -m ot-wa {small}",
        "metric": f"mcbench run -m linear --metric {name} --metric barrier {small}",
        "dataset": f"mcbench run -m linear -d {name} --endpoints 2",
        "architecture": f"mcbench run -m linear -a {name} -r 'quick[epochs=15]' --endpoints 3",
        "ensemble": f"mcbench ensemble -e {name} -e independent {small}",
    }
    return [f"mcbench list {plural(kind)}", f"mcbench plugin check {name}", run[kind]]
