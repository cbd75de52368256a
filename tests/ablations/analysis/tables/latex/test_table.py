r"""A table in a paper: few columns, aligned numbers, a caption that says how to read them, and a width that fits."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

import ablations as ab
from ablations.analysis.tables.cells import Column, Number, Table, TableRow, Text
from ablations.analysis.tables.latex.layout import COLUMN, PAGE, lay_out
from ablations.analysis.tables.latex.table import AS_PAPERS, PaperStyle, latex_table, too_wide
from ablations.analysis.tables.latex.widths import lines, width

PLAIN = (("SE", 0.0), ("SE-PRE", 0.6), ("SE_Stage_2", 0.0), ("plain", -1.4))
NASTY = r"50% $x_1$ & \{y} #~^ <é> top-1 λ=0.1 'q' [z]"


def results(*variants: tuple[str, float], level: float = 91.2, factor: float = 1.0) -> ab.FrameResults:
    """Eight seeds of each variant; the first is the baseline."""
    rows = [
        (name, seed, level + factor * (shift + 0.1 * seed + 0.08 * ((seed * (place + 3)) % 5)))
        for place, (name, shift) in enumerate(variants)
        for seed in range(8)
    ]
    frame = pd.DataFrame(rows, columns=["variant", "seed", "value"])
    return ab.Results.from_frame(
        frame, baseline=variants[0][0], margin=min(0.2, 0.2 * factor), lower_is_better=False, value="accuracy"
    )


def rows(text: str) -> dict[str, list[str]]:
    """The cells of each row of a table, by the first."""
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0]
    found = [line.strip().removesuffix(r"\\").strip().split(" & ") for line in body.strip().splitlines()]
    return {cells[0]: cells for cells in found}


def heads(text: str) -> list[str]:
    """The head of each column, of however many lines."""
    body = text.split(r"\toprule")[1].split(r"\midrule")[0]
    found = [line.removesuffix(r"\\").split("&") for line in body.strip().splitlines()]
    return [" ".join(part.strip() for part in parts).strip() for parts in zip(*found, strict=True)]


def test_a_table_is_a_float_of_few_columns_for_booktabs_alone() -> None:
    text = results(*PLAIN).to_latex()
    assert text.startswith("\\begin{table}\n")
    assert text.endswith("\\end{tabular}\n\\end{table}\n")
    for command in (r"\toprule", r"\midrule", r"\bottomrule", r"\caption{", r"\label{tab:comparisons}"):
        assert text.count(command) == 1
    assert set(re.findall(r"\\begin\{(\w+\*?)\}", text)) == {"table", "tabular"}
    assert heads(text) == ["variant", "accuracy", "difference to baseline", "verdict"]
    for beyond in ("resizebox", "landscape", r"\cellcolor", r"\multirow", "{-}"):
        assert beyond not in text


def test_only_a_verdict_makes_a_row_bold_and_its_numbers_stay_aligned() -> None:
    found = rows(results(*PLAIN).to_latex())
    bold = {name for name, cells in found.items() if r"\textbf" in "".join(cells)}
    assert bold == {r"\textbf{SE-PRE}"}
    assert found[r"\textbf{SE-PRE}"][3] == r"\textbf{better}"
    assert r"\textbf" not in "".join(found[r"\textbf{SE-PRE}"][1:3])
    assert found["plain"][3] == "worse"
    alone = rows(results(("SE", 0.0), ("SE-POST", 0.0)).to_latex())
    assert r"\textbf" not in str(alone)  # the highest mean of all, and undetermined or equivalent


def test_numbers_have_true_minus_signs_and_signs_below_each_other() -> None:
    cells = rows(results(*PLAIN).to_latex(columns=["variant", "difference"]))["plain"]
    assert re.fullmatch(r"\$-\$1\.\d\d\\,\$\\pm\$\\,0\.\d\d", cells[1])
    wide = results(("a", 0.0), ("b", 9.0), factor=100).to_latex(columns=["variant", "value"])
    assert "91.20" not in wide
    frame = pd.DataFrame(
        [("a", s, 1.0 + s) for s in range(3)] + [("b", s, 1.0 + 40 * s) for s in range(3)] + [("c", 0, 5.0)],
        columns=["variant", "seed", "value"],
    )
    text = ab.Results.from_frame(frame, baseline="a").to_latex(columns=["variant", "value"], spread="sd")
    found = rows(text)
    assert found["a"][1] == r"2.00\,$\pm$\,\phantom{0}1.00"
    assert found["b"][1] == r"41.00\,$\pm$\,40.00"
    assert found["c"][1] == r"5.00\phantom{\,$\pm$\,40.00}"


def test_what_stands_behind_an_uncertainty_is_escaped() -> None:
    cells = (Text("4.1 ± 0.4 % (2,000)"), Text("1.20 ± 0.31"), Text(NASTY))
    table = Table("t", "T", (Column("a", "a", "left"), Column("b", "b")), tuple(
        TableRow((Text(f"row {place}"), cell)) for place, cell in enumerate(cells)
    ))  # fmt: skip
    found = rows(latex_table(table))
    assert found["row 0"][1].startswith(r"4.1 $\pm$ 0.4 \% (2,000)")
    assert found["row 1"][1] == r"1.20\,$\pm$\,0.31"
    assert r"50\% \$x" in found["row 2"][1]


def test_columns_are_chosen_and_ordered_by_name() -> None:
    found = results(*PLAIN)
    text = found.to_latex(columns=["verdict", "variant", "accuracy", "n", "p_corrected"])
    assert heads(text) == ["verdict", "variant", "accuracy", "n", "p, corrected"]
    assert found.to_latex(columns=["variant", "value"]) == found.to_latex(columns=["variant", "accuracy"])
    with pytest.raises(
        ab.UserError, match=r"unknown column 'verdikt'; did you mean 'verdict'\? known: variant, accuracy"
    ):
        found.to_latex(columns=["variant", "verdikt"])
    with pytest.raises(ab.UserError, match="the column 'variant' is named twice"):
        found.to_latex(columns=["variant", "variant"])


def test_the_caption_says_n_interval_correction_and_over_what_they_hold() -> None:
    text = results(*PLAIN).to_latex()
    for part in (
        "accuracy by variant. n = 8 seeds each.", r"Behind $\pm$: half-width of the 95\,\% t-interval.",
        "Differences to SE are paired by seed", "each taken alone", r"step-down max-T over 3 comparisons",
        r"equivalent: within $\pm$0.2", "holds over new seeds, on these test data",
    ):  # fmt: skip
        assert part in text, part
    few = results(*PLAIN).to_latex(columns=["variant", "value"], spread="sd")
    assert r"Behind $\pm$: standard deviation over seeds." in few
    assert "t-interval" not in few
    assert "Verdicts" not in few
    own = results(*PLAIN).to_latex(caption="Ours & theirs, 5 %", label="tab:own_1")
    assert r"\caption{Ours \& theirs, 5\,\%}" in own
    assert r"\label{tab:own_1}" in own
    with pytest.raises(ab.UserError, match=r"a label has letters, digits and .* not 'a}b'"):
        PaperStyle(label="a}b")
    with pytest.raises(ab.UserError, match="unknown spread 'std'; did you mean 'sd'"):
        results(*PLAIN).to_latex(spread="std")  # type: ignore[arg-type]


def test_the_standard_deviation_is_that_of_the_values_and_of_the_differences() -> None:
    found = results(*PLAIN)
    [family] = found.families
    cells = rows(found.to_latex(spread="sd", columns=["variant", "value", "difference"]))["plain"]
    [sample] = [outcome for outcome in family.outcomes if outcome.label == "plain"]
    sd = family.comparisons["plain"].difference.sd
    assert cells[1].endswith(rf"\,$\pm$\,{sample.level.sd:.{family.metric.decimals}f}")
    assert cells[2].endswith(rf"\,$\pm$\,{sd:.{family.metric.decimals}f}")


def test_unequal_numbers_of_seeds_have_a_column() -> None:
    frame = pd.DataFrame(
        [(v, s, 1.0 + s + (v == "b")) for v in "ab" for s in range(5) if (v, s) != ("b", 4)],
        columns=["variant", "seed", "value"],
    )
    text = ab.Results.from_frame(frame, baseline="a").to_latex()
    assert "n" in heads(text)
    assert rows(text)["b"][2] == "4/5"
    assert "seeds each" not in text


def test_a_table_spans_both_columns_only_where_one_has_no_room() -> None:
    long = (("SE", 0.0), ("integration=identity, squeeze=max, excitation=relu, reduction=8, bias=true", 0.3))
    assert results(*PLAIN).to_latex().startswith(r"\begin{table}")
    assert results(*long).to_latex().startswith(r"\begin{table*}")
    narrow = results(*long).to_latex(columns=["variant", "value"])
    assert narrow.startswith(r"\begin{table}")
    assert r"\quad " in narrow  # the long name goes on below


def test_what_does_not_fit_is_left_out_unless_it_was_asked_for() -> None:
    columns = tuple(Column(f"c{n}", f"c{n}", gives_way=9 - n if n else 0) for n in range(9))
    wide = Table("t", "t", columns, (TableRow(tuple(Number(1234567.0) for _ in columns)),))
    assert heads(latex_table(wide)) == [f"c{n}" for n in range(7)]
    assert too_wide(wide, AS_PAPERS) is None
    asked = tuple(Column(f"c{n}", f"c{n}") for n in range(12))
    many = Table("t", "t", asked, (TableRow(tuple(Number(1234567.0) for _ in asked)),))
    style = PaperStyle(columns=tuple(column.key for column in asked))
    assert len(heads(latex_table(many, style))) == 12
    said = too_wide(many, style)
    assert said is not None
    assert said.endswith(f"a page has {PAGE:.0f} pt: choose fewer columns.")


@pytest.mark.parametrize("text", ["a b c " * 30, "x" * 200, "a=b,c_d/e+" * 20, "", "[" * 50, "日" * 30, " "])
@pytest.mark.parametrize("points", [1.0, 48.0, 120.0])
def test_lines_are_as_narrow_as_asked_and_lose_nothing(text: str, points: float) -> None:
    found = lines(text, points)
    strip = str.maketrans("", "", " \N{EM SPACE}")
    assert "".join(found).translate(strip) == text.translate(strip)
    if points > 40:
        assert max(map(width, found)) <= points + 0.01


def test_a_layout_is_never_wider_than_what_it_stands_in() -> None:
    for length in range(1, 120, 7):
        row = TableRow((Text("ab " * length), Number(1.0), Text("word" * (length % 30))))
        columns = (Column("a", "a", "left"), Column("b", "b"), Column("c", "c", "left"))
        layout = lay_out(Table("t", "t", columns, (row,)))
        assert layout.total <= (PAGE if layout.spans else COLUMN) + 0.01


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_tables_compile_in_a_page_of_two_columns_without_overfull_boxes(tmp_path: Path) -> None:
    names = (
        *PLAIN,
        (NASTY, 0.1),
        ("squeeze=max, excitation=tanh, r=8", 0.1),
        ("x" * 90, 0.2),
        ("[a] *", 0.0),
    )
    tables = (
        results(*PLAIN).to_latex(),
        results(*names).to_latex(label="tab:b", caption=NASTY),
        results(*names, level=9123.0, factor=900).to_latex(label="tab:c"),
        results(*names, level=0.002, factor=1e-4).to_latex(label="tab:d", spread="sd"),
        results(*names).to_latex(label="tab:e", columns=["variant", "accuracy"]),
        results(*names).to_latex(
            label="tab:f",
            columns=["variant", "value", "n", "difference", "p_corrected", "p_tost_corrected", "verdict"],
        ),
    )
    for place, table in enumerate(tables):
        (tmp_path / f"t{place}.tex").write_text(table, encoding="utf-8")
    body = "\n".join(rf"\input{{t{place}}} Words." for place in range(len(tables)))
    paper = rf"\documentclass[twocolumn]{{article}}\usepackage{{booktabs}}\begin{{document}}{body}\end{{document}}"
    (tmp_path / "paper.tex").write_text(paper, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False)
    said = done.stdout.decode(errors="replace")
    assert done.returncode == 0, said[-2000:]
    assert "Overfull" not in said, said[-3000:]
