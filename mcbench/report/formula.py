r"""Formulas of docstrings in Unicode, for terminals: ``\max_t L(\psi(t))`` as max_t L(ψ(t))."""

from __future__ import annotations

import inspect
import re
import unicodedata

_SYMBOLS = {
    "nabla": "∇", "partial": "∂", "infty": "∞", "int": "∫", "sum": "Σ", "prod": "Π", "sqrt": "√",
    "le": "≤", "ge": "≥", "ne": "≠", "approx": "≈", "sim": "~", "in": "∈", "to": "→", "times": "×",
    "cdot": "·", "odot": "⊙", "circ": "∘", "pm": "±", "dots": "...", "cdots": "...",
    "ldots": "...", "top": "T", "perp": "⊥", "parallel": "∥", "ell": "ℓ", "mid": "|", "quad": " ",
    "lceil": "⌈", "rceil": "⌉", "lfloor": "⌊", "rfloor": "⌋", "langle": "⟨", "rangle": "⟩",
}  # fmt: skip
_ABOVE = {"bar": "\u0304", "hat": "\u0302", "tilde": "\u0303", "dot": "\u0307"}
_FRACTIONS = {"1/2": "½", "1/4": "¼", "3/4": "¾"}

_ARGUMENT = r"[ \ue000]*(?:\{([^{}]*)\}|(\\[a-zA-Z]+|\w))"
_ACCENT = re.compile(rf"\\({'|'.join(_ABOVE)})(?![a-zA-Z]){_ARGUMENT}")
_FONT = re.compile(rf"\\(?:math\w+|text|operatorname|boldsymbol)(?![a-zA-Z]){_ARGUMENT}")
_FRACTION = re.compile(rf"\\[td]?frac{_ARGUMENT}{_ARGUMENT}")
_GROUP = re.compile(r"(\\sqrt ?|[_^])\{([^{}]*)\}")
_BINOMIAL = re.compile(r"\\binom\{([^{}]*)\}\{([^{}]*)\}")
_SPACE = re.compile(
    r"\\(?:begin|end)\{\w+\*?\}|\\(?:left|right|[bB]ig+)(?![a-zA-Z])|&|\\[,;:!\\ ]"
)

_BREAK = " \ue000 "
"""A line break inside of a formula, which keeps its place."""


def readable(text: str) -> str:
    """A docstring with its formulas, in roles and directives, as `unicode_formula`."""

    def role(match: re.Match[str]) -> str:
        return unicode_formula(match[1].replace("\n", _BREAK)).replace(_BREAK, "\n")

    def directive(match: re.Match[str]) -> str:
        return f"{match[1]}    {unicode_formula(inspect.cleandoc(match[2]))}\n"

    text = re.sub(r":math:`([^`]+)`", role, text)
    return re.sub(r"(?m)^( *)\.\. math::((?:.*\n)(?:\1 +.*\n?|[ ]*\n(?=\1 ))*)", directive, text)


def unicode_formula(latex: str) -> str:
    """A formula in Unicode; indices stay as ``t_i`` and ``x^2``, groups get brackets."""
    text, before = _SPACE.sub(" ", latex), ""
    while text != before:  # From inside out.
        before = text
        text = _FONT.sub(lambda m: m[1] or m[2], text)
        text = _ACCENT.sub(_accented, text)
        text = _GROUP.sub(lambda m: m[1] + _bracketed(m[2]), text)
        text = _BINOMIAL.sub(r"C(\1, \2)", text)
        text = _FRACTION.sub(_fraction, text)
    text = re.sub(r"(?<!\\)[{}]", "", text)
    text = re.sub(r"\\([a-zA-Z]+)", _symbol, text)
    text = re.sub(r"\\([{}|_%#])", r"\1", text)
    return " ".join(text.split())


def _bracketed(text: str) -> str:
    """Text that binds as one: in brackets unless it is one sign, number or word."""
    text = text.strip()
    return text if re.fullmatch(r"\\?\w+|-\d+|\w", text) else f"({text})"


def _fraction(match: re.Match[str]) -> str:
    above, below = match[1] or match[2], match[3] or match[4]
    fraction = f"{_bracketed(above)}/{_bracketed(below)}"
    return f"{_FRACTIONS.get(fraction, fraction)} "


def _accented(match: re.Match[str]) -> str:
    letters = match[2] or match[3]
    return f"{letters}{_ABOVE[match[1]]}" if len(letters) == 1 else f"{match[1]}({letters})"


def _symbol(match: re.Match[str]) -> str:
    """A sign by its name; names of functions, as max, stay as they are."""
    name = match[1]
    if name in _SYMBOLS:
        return _SYMBOLS[name]
    case = "CAPITAL" if name[0].isupper() else "SMALL"
    letter = name.removeprefix("var").upper().replace("LAMBDA", "LAMDA")
    try:
        return unicodedata.lookup(f"GREEK {case} LETTER {letter}")
    except KeyError:
        return name
