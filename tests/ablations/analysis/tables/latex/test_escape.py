"""No text that came from outside is a command in LaTeX, and what a person writes is set as it was written."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ablations.analysis.tables.latex.escape import latex_code, latex_escape


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("50% $x_1$ \\ {y}", r"50\% \$x\_1\$ \textbackslash{} \{y\}"),
        ("a & b # ~ ^", r"a \& b \# \textasciitilde{} \textasciicircum{}"),
        ("<a> | `q`", r"\textless{}a\textgreater{} \textbar{} \textasciigrave{}q\textasciigrave{}"),
        ("top-1 error", "top-1 error"),
        ("--set a---b", r"-{}-set a-{}-{}-b"),
        ("a,,b it's ''c''", "a,{},b it's '{}'c'{}'"),
        ("−0.5 ± 0.1", r"$-$0.5 $\pm$ 0.1"),
        ("Größe café e\N{COMBINING ACUTE ACCENT}", "Größe café é"),
        ("λ=0.1, Δ, Α", r"$\lambda$=0.1, $\Delta$, A"),
        ("ą", r"{\fontencoding{T1}\selectfont ą}"),
        ("日 日", "{[}U+65E5] [U+65E5]"),
        ("two\nlines\t x", "two lines x"),
        ("[x] a", "{[}x] a"),  # the optional length of \\ else
        ("* a", "{*} a"),
        ("", ""),
    ],
)
def test_text_is_set_as_it_was_written(text: str, escaped: str) -> None:
    assert latex_escape(text) == escaped


def test_code_keeps_its_quotation_marks() -> None:
    assert latex_code("--only 'a_b'") == r"\texttt{-{}-only \textquotesingle{}a\_b\textquotesingle{}}"


@given(st.text())
def test_no_text_breaks_out_of_a_cell(text: str) -> None:
    escaped = latex_escape(text)
    bare = re.sub(r"\\[&%#$_{}]", "", escaped)
    assert not set(re.sub(r"\$(-|\\[A-Za-z]+)\$", "", bare)) & set("&%#$~^\n")
    assert bare.count("{") == bare.count("}")
    assert escaped[:1] not in ("[", "*")
