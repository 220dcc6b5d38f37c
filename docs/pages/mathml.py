"""An extension of Python-Markdown: formulas as MathML, which browsers show without a script.

``$...$`` stands in a line, ``$$...$$`` on its own, as GitHub reads them; in docstrings the role
``:math:`` marks a formula. They are converted when the page is built, so that it needs neither a
script nor a font from elsewhere.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as etree

from latex2mathml.converter import convert
from markdown import Extension, Markdown
from markdown.inlinepatterns import InlineProcessor

BLOCK = r"\$\$(?!\$)([^$]+?)\$\$"
INLINE = r"(?<![\\$\w])\$(?![\s$])([^$]+?)(?<!\s)\$(?![\w$])"

ROLE = r":math:`([^`]+)`"

BAR = '<mo stretchy="false">&#x0007C;</mo>'

BEFORE_CODE, AFTER_CODE = 191, 186
"""Priorities: of code in backticks it is 190, of escapes and emphasis less than 186."""


class Formula(InlineProcessor):  # type: ignore[misc]  # Markdown ships no types.
    """A pattern whose matches are replaced by MathML."""

    def __init__(self, pattern: str, md: Markdown, display: str) -> None:
        super().__init__(pattern, md)
        self.display = display

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[str, int, int]:
        """The formula, kept from all further processing."""
        return self.md.htmlStash.store(mathml(m[1], self.display)), m.start(0), m.end(0)


def mathml(latex: str, display: str) -> str:
    """MathML of a formula.

    Raises:
        ValueError: If it has a command that is not known: it would be shown as it stands.
    """
    markup = convert(" ".join(latex.split()), display=display)
    # The converter takes a bar for an operator, with space on both sides.
    markup = markup.replace(BAR, BAR.replace("<mo ", '<mo lspace="0" rspace="0" '))
    content = "".join(etree.fromstring(markup).itertext())
    if "\\" in content:
        raise ValueError(f"the formula '{latex}' cannot be converted: {content}")
    return str(markup)


class MathML(Extension):  # type: ignore[misc]
    """Formulas in dollars, or after ``:math:``."""

    def extendMarkdown(self, md: Markdown) -> None:
        """Register all marks; the longer one first."""
        md.inlinePatterns.register(Formula(ROLE, md, "inline"), "formula-role", BEFORE_CODE)
        md.inlinePatterns.register(Formula(BLOCK, md, "block"), "block-formula", AFTER_CODE + 1)
        md.inlinePatterns.register(Formula(INLINE, md, "inline"), "formula", AFTER_CODE)


def makeExtension(**options: object) -> MathML:
    """Make the extension; Python-Markdown calls this."""
    return MathML(**options)
