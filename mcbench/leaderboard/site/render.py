"""Templates to pages; everything that is put into them is escaped."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any


@cache
def environment() -> Any:
    """The templates. A name that is not there is an error, not an empty text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from mcbench.version import VERSION

    loader = PackageLoader("mcbench.leaderboard.site", "templates")
    made = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals["version"] = VERSION
    made.filters["zip"] = zip
    return made


def render(template: str, root: str, **context: Any) -> bytes:
    """A page. ``root`` leads from its folder to the site's top, as ``../``."""
    text: str = environment().get_template(template).render(root=root, **context)
    return text.encode("utf-8", "replace")


def assets() -> dict[str, bytes]:
    """The style sheet and the script, by their place in the site."""
    folder = files("mcbench.leaderboard.site") / "assets"
    return {f"assets/{n}": (folder / n).read_bytes() for n in ("site.css", "site.js")}
