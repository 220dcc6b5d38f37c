"""Rendering of templates to pages; all values are escaped."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def environment() -> Environment:
    """The environment of the templates; an undefined name is an error, not an empty text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from mcbench.version import VERSION

    loader = PackageLoader("mcbench.leaderboard.site", "templates")
    templates = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.globals["version"] = VERSION
    templates.filters["zip"] = zip
    return templates


def render(template: str, root: str, **context: Any) -> bytes:  # Templates take any value.
    """A page. ``root`` leads from its folder to the site's top, as ``../``."""
    text = environment().get_template(template).render(root=root, **context)
    return text.encode("utf-8", "replace")


def assets() -> dict[str, bytes]:
    """The style sheet and the script, by their place in the site."""
    folder = files("mcbench.leaderboard.site") / "assets"
    return {f"assets/{n}": (folder / n).read_bytes() for n in ("site.css", "site.js")}
