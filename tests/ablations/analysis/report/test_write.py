"""A report is made of the record alone, claims no more than it shows, and is the same whenever it is written."""

from __future__ import annotations

import errno
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ablations.analysis.report.answer import short_answer
from ablations.analysis.report.write import write_report
from ablations.analysis.results.results import Results
from ablations.analysis.tables.summary import summarise
from ablations.planning.design import Design
from ablations.running.machine.durable import DiskError
from ablations.running.record.study_record import StudyRecord
from senet_core.errors import UserError
from tests.ablations.analysis.synthetic import ENVIRONMENT, simulated, study_design, write_record

ALL = ("md", "html", "latex")
SMALL: dict[str, Any] = {"axes": {"reduction": [4, 16]}, "seeds": 3}
NASTY = r"<script>alert(1)</script> & 50 % of $x_1$ \ {y} # ~ ^ | `code` 日本"


def made(folder: Path, lines: dict[str, Any] | None = None, **changes: Any) -> tuple[Design, StudyRecord]:
    plan = study_design(**{**SMALL, **changes})
    return plan, write_record(folder / "results", simulated(plan, **(lines or {})))


def answer(folder: Path, lines: dict[str, Any] | None = None, **changes: Any) -> str:
    return " ".join(short_answer(Results(*made(folder, lines, **changes))))


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_report_has_everything(tmp_path: Path) -> None:
    plan, record = made(
        tmp_path,
        {"fail": [("SE r=4", 1)], "data_note": "made of JPEG"},
        overrides=["seeds=3"],
        typed=["tiny", "--set", "seeds=3"],
        paper_tables=["table_10"],
    )
    paths = write_report(Results(plan, record), tmp_path / "reports", tracking="sqlite:///results/mlflow.db")
    assert paths.markdown is not None
    text = paths.markdown.read_text(encoding="utf-8")
    key = plan.baseline.trial(0).key
    for part in (
        "# Reduction and squeeze", "Do they matter?", "made of JPEG", "batch_size 128", "abc1234", "torch 2.14.1",
        "Some CPU", "22.25 / 6.09", "ResNet-50 on ImageNet", "figures/axis-reduction.svg",
        "figures/cost-parameters.svg", "figures/curves-reduction.svg", "the loss is not finite", "diverged",
        "ablate run tiny --set seeds=3 --only 'SE r=4'", key, "tags.`senet.key` = 'KEY'", "sqlite:///results/mlflow.db",
        "8 of 9 trials", "Failures fall on particular rows: SE r=4 (1 of 3).", "comparisons are biased",
    ):  # fmt: skip
        assert part in text, part
    assert paths.html is paths.latex is None
    assert {path.suffix for path in paths.figures} == {".svg", ".png"}
    for link in re.findall(r"\]\((figures/[^)]+)\)", text):
        assert (paths.folder / link).is_file()
    assert {"reduction.csv", "trials.csv", "failures.csv"} <= {path.name for path in paths.tables}


def test_what_all_tables_have_to_say_is_said_once_and_what_is_their_own_each_time(tmp_path: Path) -> None:
    plan, record = made(tmp_path, axes={"reduction": [4, 16], "squeeze": ["avg", "max"]})
    paths = write_report(Results(plan, record), tmp_path / "reports", formats=("md", "html"))
    for path in (paths.markdown, paths.html):
        assert path is not None
        text = path.read_text(encoding="utf-8")
        assert text.count("Differences are paired by seed") == 1
        assert text.count("Left: top-1 error of every seed") == 1
        assert text.count("3 comparisons with the baseline, corrected together by Holm") == 1


def test_tables_are_read_first_in_seven_columns_and_the_rest_is_folded(tmp_path: Path) -> None:
    plan, record = made(tmp_path, {"effects": {"plain": 5.0}}, seeds=6, paper_tables=["table_10"])
    paths = write_report(Results(plan, record), tmp_path / "reports", formats=("md", "html"))
    assert paths.markdown is not None
    assert paths.html is not None
    text = paths.markdown.read_text(encoding="utf-8")
    opened = re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)
    heads = [line for line in opened.splitlines() if line.startswith("| variant")]
    assert heads == [
        "| variant | top-1 error, % | top-5 error, % | difference to baseline | verdict | parameters (extra) |"
        " paper: top-1 / top-5 (difference) |"
    ]
    assert "| ▼ worse |" in opened
    assert "n = 6 seeds each." in opened
    assert "(6)" not in opened
    for folded in (
        "p, corrected",
        "batch_size 128",
        "torch 2.14.1",
        "--only",
        "trial key",
        "Holm's method. Smallest",
    ):
        assert folded in text
        assert folded not in opened
    html = paths.html.read_text(encoding="utf-8")
    assert html.count("<details") == html.count("</details>") == text.count("<details>")


def test_numbers_of_a_page_can_be_sorted_by_without_a_network(tmp_path: Path) -> None:
    plan, record = made(tmp_path)
    html = write_report(Results(plan, record), tmp_path, formats=("html",)).html
    assert html is not None
    text = html.read_text(encoding="utf-8")
    assert re.search(r'<td class="right" data-value="-?\d[\d.e+-]*">', text)
    assert not re.search(r"https?://|@import|url\(", text)


def test_failures_that_fall_on_all_rows_alike_are_no_bias(tmp_path: Path) -> None:
    every = [(label, 0) for label in ("plain", "SE", "SE r=4")]
    plan, record = made(tmp_path, {"fail": every})
    assert {label for label, _ in every} == {row.label for row in plan.rows}
    paths = write_report(Results(plan, record), tmp_path / "reports")
    assert paths.markdown is not None
    text = paths.markdown.read_text(encoding="utf-8")
    assert text.count("diverged") >= 3
    assert "fall on particular rows" not in text


def test_writing_twice_gives_equal_bytes(tmp_path: Path) -> None:
    plan, record = made(tmp_path)
    for folder in ("a", "b"):
        write_report(Results(plan, record), tmp_path / folder, formats=ALL)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    write_report(Results(plan, record), tmp_path / "a", formats=ALL)  # and over an old one
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_html_is_one_file_and_escapes_what_is_not_ours(tmp_path: Path) -> None:
    plan, record = made(tmp_path, {"data_note": NASTY}, title=NASTY, question=NASTY)
    html = write_report(Results(plan, record), tmp_path, formats=("html",)).html
    assert html is not None
    text = html.read_text(encoding="utf-8")
    assert text.count("<script") == 1  # ours, which sorts tables
    assert text.count("&lt;script&gt;") == 4  # title twice, question, data
    addresses = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert addresses
    assert all(address.startswith("data:image/svg+xml;base64,") for address in addresses)


def test_markdown_escapes_what_is_not_ours(tmp_path: Path) -> None:
    plan, record = made(tmp_path, title=NASTY)
    markdown = write_report(Results(plan, record), tmp_path).markdown
    assert markdown is not None
    assert markdown.read_text(encoding="utf-8").startswith(
        r"# \<script>alert(1)\</script> & 50 % of \$x_1\$ \\ {y} \# \~ ^"
    )


def test_latex_escapes_what_is_not_ours(tmp_path: Path) -> None:
    plan, record = made(tmp_path, {"data_note": NASTY}, title=NASTY, question=NASTY)
    paths = write_report(Results(plan, record), tmp_path, formats=("latex",))
    assert paths.latex is not None
    text = paths.latex.read_text(encoding="utf-8")
    assert r"50 \% of \$x\_1\$ \textbackslash{} \{y\} \# \textasciitilde{}" in text
    assert "日" not in text
    for link in re.findall(r"\\includegraphics\[[^]]*\]\{([^}]+)\}", text):
        assert (paths.folder / link).is_file()


def test_latex_has_a_file_for_each_table_of_few_columns(tmp_path: Path) -> None:
    plan, record = made(tmp_path, {"fail": [("SE r=4", 1)]})
    paths = write_report(Results(plan, record), tmp_path / "reports", formats=("md", "latex"))
    assert paths.latex is not None
    text = paths.latex.read_text(encoding="utf-8")
    taken = re.findall(r"\\input\{tables/([^}]+)\}", text)
    assert {"reduction.tex", "reduction-comparisons.tex", "failures.tex", "missing.tex"} <= set(taken)
    assert set(taken) == {path.name for path in paths.tables if path.suffix == ".tex"}
    assert not re.search("resizebox|landscape|lrbox", text)
    labels = set()
    for name in taken:
        table = (paths.folder / "tables" / name).read_text(encoding="utf-8")
        layout = re.search(r"\\begin\{tabular\}\{@\{\}([lr]+)@\{\}\}", table)
        assert layout is not None
        assert len(layout[1]) <= 7
        assert r"\caption{" in table
        labels.add(re.findall(r"\\label\{([^}]+)\}", table)[0])
    assert len(labels) == len(taken)
    assert "tab:tiny-reduction" in labels
    write_report(Results(plan, record), tmp_path / "reports", formats=("md",))
    assert (paths.folder / "tables" / "reduction.tex").is_file()  # a format that is there is written anew
    paths.latex.unlink()
    write_report(Results(plan, record), tmp_path / "reports", formats=("md",))
    assert list((paths.folder / "tables").glob("*.tex")) == []


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_compiles_without_overfull_boxes(tmp_path: Path) -> None:
    labels = {
        "SE r=4": "Ours_1 & 50% $x$",
        "plain": "a name of a row much longer than others",
    }
    plan, record = made(
        tmp_path,
        {"data_note": NASTY, "fail": [("Ours_1 & 50% $x$", 1)]},
        title=NASTY,
        question=NASTY,
        labels=labels,
    )
    paths = write_report(Results(plan, record), tmp_path, formats=("latex",))
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "report.tex"]
    done = subprocess.run(command, cwd=paths.folder, capture_output=True, timeout=120, check=False)
    said = done.stdout.decode(errors="replace")
    assert done.returncode == 0, said[-2000:]
    assert "Overfull" not in said, said[-3000:]


@pytest.mark.parametrize("seeds", [1, 2])
def test_below_three_seeds_nothing_is_claimed(tmp_path: Path, seeds: int) -> None:
    said = answer(tmp_path, {"effects": {"plain": 5.0, "SE r=4": -5.0}}, seeds=seeds)
    assert f"no claim possible at n = {seeds}" in said or f"no claim is possible at n = {seeds}" in said
    assert f"With n = {seeds} no claim about the variants is possible" in said
    assert "lower error" not in said
    assert "higher error" not in said


def test_what_is_not_significant_is_never_called_equal(tmp_path: Path) -> None:
    plan, record = made(tmp_path, seeds=5)
    paths = write_report(Results(plan, record), tmp_path, formats=ALL)
    said = " ".join(short_answer(Results(plan, record)))
    assert "undetermined" in said
    assert "it may be anything from −" in said
    for path in (paths.markdown, paths.html, paths.latex):
        assert path is not None
        text = path.read_text(encoding="utf-8").lower()
        for words in ("no difference", "no effect", "nan", "does not matter", "are equivalent"):
            assert not re.search(rf"\b{words}\b", text), (path, words)


def test_what_is_significant_is_said_with_its_interval(tmp_path: Path) -> None:
    said = answer(tmp_path, {"effects": {"plain": 1.0, "SE r=4": -1.0}, "sd": 0.1}, seeds=6)
    assert re.search(
        r"The plain network has a higher error than the baseline: \+\d\.\d\d \[\+.*\] points, p < 0\.001",
        said,
    )
    assert re.search(r"A lower error than the baseline's: SE r=4 \(−\d\.\d\d \[−.*\] points", said)


def test_a_part_of_a_study_is_reported_as_such(tmp_path: Path) -> None:
    lines = {"skip": [("SE r=4", 0), ("SE r=4", 1)], "fail": [("plain", 2)]}
    plan, record = made(tmp_path, lines)
    assert "The study is unfinished: 6 of 9 trials have a result (1 failed)." in short_answer(
        Results(plan, record)
    )
    markdown = write_report(Results(plan, record), tmp_path).markdown
    assert markdown is not None
    text = markdown.read_text(encoding="utf-8")
    assert "| SE r=4 | 1 | – | 0, 1 |" in text
    assert "| plain | 2 | 2 | – |" in text


@pytest.mark.parametrize("design", ["one-factor", "grid"])
def test_a_study_without_any_trial_still_has_a_report(tmp_path: Path, design: str) -> None:
    plan = study_design(**SMALL, design=design)
    paths = write_report(Results(plan, StudyRecord(tmp_path / "none")), tmp_path, formats=ALL)
    assert paths.figures == ()
    assert paths.markdown is not None
    assert "0 of 9 trials" in paths.markdown.read_text(encoding="utf-8")


def test_trials_that_cannot_be_compared_are_pointed_out(tmp_path: Path) -> None:
    plan = study_design(**SMALL)
    lines = simulated(plan)
    lines[0] |= {"data_digest": "e" * 64, "environment": {**ENVIRONMENT, "commit": "def5678", "dirty": True}}
    markdown = write_report(Results(plan, write_record(tmp_path / "results", lines)), tmp_path).markdown
    assert markdown is not None
    text = markdown.read_text(encoding="utf-8")
    assert "did not all see the same data" in text
    others = len(lines) - 1
    assert f"2 different commits: abc1234 ({others} trials), def5678 (1 trial)" in text
    assert "1 trial ran with code that was changed after its commit" in text


def test_a_password_in_the_tracking_address_is_left_out(tmp_path: Path) -> None:
    plan, record = made(tmp_path)
    markdown = write_report(
        Results(plan, record), tmp_path, tracking="https://me:secret@host:5000/x"
    ).markdown
    assert markdown is not None
    text = markdown.read_text(encoding="utf-8")
    assert "secret" not in text
    assert "@host:5000/x" in text


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    plan, record = made(tmp_path)
    with pytest.raises(
        UserError, match=r"unknown report format 'htm'; did you mean 'html'\? known: md, html, latex"
    ):
        write_report(Results(plan, record), tmp_path / "reports", formats=("md", "htm"))
    assert not (tmp_path / "reports").exists()


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    plan, record = made(tmp_path)
    (tmp_path / "reports").write_text("a file", encoding="utf-8")
    with pytest.raises(UserError, match=r"cannot write the report to '.*reports.tiny': "):
        write_report(Results(plan, record), tmp_path / "reports")


def test_a_full_disk_is_no_mistake_of_whoever_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, record = made(tmp_path)

    def full(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(
        DiskError, match=r"cannot write the report to '.*tiny': No space left on device; nothing rec"
    ):
        write_report(Results(plan, record), tmp_path / "reports")


def test_a_named_row_has_its_name_everywhere(tmp_path: Path) -> None:
    plan, record = made(tmp_path, labels={"SE r=4": "Ours & best", "plain": "ResNet-20"})
    results = Results(plan, record)
    paths = write_report(results, tmp_path / "reports", formats=ALL)
    texts = [*paths.tables, *(path for path in (paths.markdown, paths.html, paths.latex) if path is not None)]
    for path in texts:
        text = path.read_text(encoding="utf-8")
        assert "SE r=4" not in text, path
    assert paths.latex is not None
    assert r"Ours \& best" in paths.latex.read_text(encoding="utf-8")
    assert "Ours & best" in {summary.label for summary in summarise(results)}
    assert "Ours & best" in set(results.trials["row"])
