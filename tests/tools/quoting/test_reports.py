"""A report that was just written is as its results give it, whatever it holds: races, grids, pairs, LaTeX."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ablations.analysis.plots.data import Interval
from ablations.analysis.plots.digest import picture_mark, plot_of, read_mark
from ablations.analysis.probe.numbers import write_numbers
from ablations.analysis.probe.page import write_probe
from ablations.analysis.report.write import write_report
from ablations.analysis.results.results import Results
from ablations.planning.design import design
from ablations.planning.study_file import load_study
from tests.ablations.analysis.probe.made_gates import NINE, probe
from tests.ablations.analysis.synthetic import simulated, write_record
from tools.quoting.answers import answer
from tools.quoting.reports import check_report, make_report
from tools.quoting.sources import Library

STUDY: dict[str, Any] = {
    "title": "Reduction and squeeze",
    "question": "Größe?",
    "baseline": {"backbone": "resnet20", "variant": "se", "data": "cifar10"},
    "recipe": "cifar-quick",
    "axes": {"reduction": [4, 16], "squeeze": ["avg", "max"]},
    "seeds": 6,
}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw nothing: pictures that carry their mark are enough, and drawing takes seconds."""

    def drawn(figure: Figure, suffixes: Sequence[str], mark: str) -> dict[str, bytes]:
        told, png = PngInfo(), io.BytesIO()
        told.add_text("Description", mark)
        Image.new("RGB", (1, 1)).save(png, "png", pnginfo=told)
        svg = f"<dc:description>{mark}</dc:description>".encode()
        made = {"svg": svg, "png": png.getvalue(), "pdf": f"/Subject ({mark})".encode()}
        return {suffix: made[suffix] for suffix in suffixes}

    monkeypatch.setattr("ablations.analysis.report.write.render", drawn)


def reported(clone: Path, formats: Sequence[str], pairs: Sequence[str] = (), **changes: Any) -> list[str]:
    """Write study, record and report, and check the report in another process's stead."""
    overrides = ("margin=0.3",)
    (clone / "tiny.yaml").write_text(json.dumps({**STUDY, **changes}), encoding="utf-8")  # which is YAML, too
    plan = design(load_study("tiny.yaml", overrides=overrides, seeds=5).in_precision("bf16"))
    record = write_record(clone / "results/tiny", simulated(plan, {"SE r=4": 0.4}))
    write_report(Results(plan, record), clone / "reports", formats=formats, pairs=pairs)
    return [str(difference) for difference in check_report("tiny", Library(clone))]


@pytest.mark.usefixtures("quick")
def test_pairs_and_every_format(clone: Path) -> None:
    assert reported(clone, ("md", "html", "latex"), ("squeeze",)) == []
    request = json.loads((clone / "reports/tiny/request.json").read_text(encoding="utf-8"))
    assert len(request.pop("plan")) == 16
    written = {path.name for path in (clone / "reports/tiny/tables").iterdir()}
    assert set(request.pop("tables")) == written
    assert request == {
        "typed": ["tiny.yaml", "--set", "margin=0.3", "--seeds", "5"],
        "formats": ["md", "html", "latex"],
        "pairs": ["squeeze"],
    }


@pytest.mark.usefixtures("quick")
def test_the_page_of_a_probe_is_checked_made_again_and_quoted(clone: Path) -> None:
    assert reported(clone, ("md",)) == []
    folder, probed = clone / "reports/tiny/gates", probe(names=NINE[:4])
    write_numbers(probed, folder)
    write_probe(probed, folder, classes=("fox", "cat"), formats=("md",))
    assert check_report("tiny", Library(clone)) == []
    page = folder / "report.md"
    said = page.read_text(encoding="utf-8")
    page.write_text(said.replace("nothing was trained", "much was trained"), encoding="utf-8")
    [found] = map(str, check_report("tiny", Library(clone)))
    assert found.startswith("reports/tiny/gates/report.md:")
    make_report("tiny", Library(clone))
    assert check_report("tiny", Library(clone)) == []
    source = Library(clone).source("tiny/probe")
    unit = probed.rows[0].over_seeds("class_share")["SE_2_2"]
    asked = "units-se-r-4, SE_2_2, class_share value"
    assert answer(source, asked, block=False) == f"{unit.mean:.3f}"
    assert answer(source, "answer", block=True).startswith("Of the paper's 6 statements")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("kind", ["race", "grid", "pairwise"])
def test_every_kind_of_design(clone: Path, kind: str) -> None:
    assert reported(clone, ("md", "html"), design=kind) == []
    (clone / "reports/tiny/figures").rename(clone / "reports/tiny/pictures")
    said = [str(difference) for difference in check_report("tiny", Library(clone))]
    assert any("reports/tiny/figures/" in line and "regenerated 'a file'" in line for line in said)


def test_every_picture_says_what_it_shows(clone: Path) -> None:
    assert reported(clone, ("html", "latex"), axes={"reduction": [4]}) == []
    pictures = sorted((clone / "reports/tiny/figures").iterdir())
    assert {picture.suffix for picture in pictures} == {".png", ".svg", ".pdf"}
    for picture in pictures:
        mark = read_mark(picture.read_bytes(), picture.suffix[1:])
        assert mark is not None
        assert plot_of(mark) == ("tiny", picture.stem)


def test_a_mark_is_of_what_is_seen() -> None:
    def mark(mean: float) -> str:
        return picture_mark("s", "p", ("SE", Interval(mean, None, 2.0), {"n": 3}, True))

    assert mark(1.25) == mark(1.25 + 1e-13)
    assert mark(1.25) != mark(1.2501)
    assert mark(0.0) == mark(-0.0)


def test_pictures_that_say_nothing_have_no_mark() -> None:
    for picture in (b"", b"\x89PNG\r\n\x1a\n broken", b"<svg/>"):
        assert read_mark(picture, "png") is read_mark(picture, "svg") is read_mark(picture, "pdf") is None
    assert plot_of("a photograph") is None


@pytest.mark.usefixtures("quick")
def test_the_page_of_a_probe_without_numbers_is_left_alone(clone: Path) -> None:
    """It was made from weights, which no clone has."""
    assert reported(clone, ("md",)) == []
    page = clone / "reports/tiny/gates/report.md"
    page.parent.mkdir()
    page.write_text("gates\n", encoding="utf-8")
    (clone / "reports/tiny/other.md").write_text("other\n", encoding="utf-8")
    differences = [str(difference) for difference in check_report("tiny", Library(clone))]
    assert len(differences) == 1
    assert "other.md" in differences[0]
    make_report("tiny", Library(clone))
    assert page.exists()
    assert not (clone / "reports/tiny/other.md").exists()
