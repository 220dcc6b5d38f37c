"""An extension of Python-Markdown: formulas as MathML, which browsers show without a script.

``$...$`` stands in a line, ``$$...$$`` on its own, as GitHub reads them. They are converted when
the page is built, so that it needs neither a script nor a font from elsewhere.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as etree

from latex2mathml.converter import convert
from markdown import Extension, Markdown
from markdown.inlinepatterns import InlineProcessor

BLOCK = r"\$\$(?!\$)([^$]+?)\$\$"
INLINE = r"(?<![\\$\w])\$(?![\s$])([^$]+?)(?<!\s)\$(?![\w$])"

BAR = '<mo stretchy="false">&#x0007C;</mo>'

AFTER_CODE = 186
"""Priority: below that of code in backticks, above that of escapes and emphasis."""


class Formula(InlineProcessor):  # type: ignore[misc]  # Markdown ships no types.
    """Replaces a formula."""

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
    made = convert(" ".join(latex.split()), display=display)
    # A bar is taken for an operator between two things, with space on both sides.
    made = made.replace(BAR, BAR.replace("<mo ", '<mo lspace="0" rspace="0" '))
    shown = "".join(etree.fromstring(made).itertext())
    if "\\" in shown:
        raise ValueError(f"the formula '{latex}' has a command that cannot be converted: {shown}")
    return str(made)


class MathML(Extension):  # type: ignore[misc]
    """Formulas in dollars."""

    def extendMarkdown(self, md: Markdown) -> None:
        """Register both kinds; the longer mark first."""
        md.inlinePatterns.register(Formula(BLOCK, md, "block"), "block-formula", AFTER_CODE + 1)
        md.inlinePatterns.register(Formula(INLINE, md, "inline"), "formula", AFTER_CODE)


def makeExtension(**options: object) -> MathML:
    """What Python-Markdown asks for."""
    return MathML(**options)
