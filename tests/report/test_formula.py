"""Formulas of docstrings for terminals: nothing of LaTeX is left of any component's."""

from __future__ import annotations

import pytest

from mcbench.plugins.host import KINDS, host
from mcbench.report.description import describe
from mcbench.report.formula import readable, unicode_formula

FORMULAS = {
    r"\max_t L(\psi(t)) - \frac12 (L(0) + L(1))": "max_t L(ψ(t)) - ½ (L(0) + L(1))",
    r"\min_i \mathrm{acc}(\psi(t_i))": "min_i acc(ψ(t_i))",
    r"R\,F^\top (F F^\top + \lambda I)^{-1}": "R F^T (F F^T + λ I)^-1",
    r"\sum_i |\theta_i^A - \theta_{p(i)}^B|^2": "Σ_i |θ_i^A - θ_(p(i))^B|^2",
    r"\frac{\pi\,\mathrm{mod}(i, c)}{\lceil T/M \rceil}": "(π mod(i, c))/(⌈ T/M ⌉)",
    r"w_1, \dots, w_n \in \mathbb{R}^d": "w_1, ..., w_n ∈ R^d",
    r"\sqrt{\frac{a+b}{2}} \ge \bar d": "√((a+b)/2) ≥ d\u0304",
}


@pytest.mark.parametrize("latex", FORMULAS)
def test_formulas(latex: str) -> None:
    assert unicode_formula(latex) == FORMULAS[latex]


def test_roles_and_directives_and_nothing_else_are_formulas() -> None:
    text = (
        "The ``x\\_y`` and :math:`\\alpha\n+ 1`, that is\n\n.. math:: a^2 = \\frac{b}{c}\n\nof c."
    )
    assert readable(text) == "The ``x\\_y`` and α\n+ 1, that is\n\n    a^2 = b/c\n\nof c."


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "command"])
def test_every_component_is_readable(kind: str) -> None:
    for name in host().names(kind):
        described = describe(kind, host().find(kind, name))
        for text in (described["summary"], described["description"]):
            shown = readable(text)
            assert "\\" not in shown and ":math:" not in shown, f"{kind} {name}: {shown}"
