"""A sealed plan: written before the results, kept as it is, and held against what is reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ablations.analysis.report.write import write_report
from ablations.analysis.results.results import Results
from ablations.analysis.results.seal import rule_of, seal_facts, seal_of, seal_sentence, standing_of
from ablations.analysis.tables.provenance import setup_table
from ablations.api.sealing import seal_study
from ablations.errors import RecordError
from ablations.planning.design import Design
from ablations.running.record.seals import Seal, read_seals
from ablations.running.record.study_paths import StudyPaths
from senet_core.errors import UserError
from tests.ablations.analysis.synthetic import line, simulated, study_design, write_record

AXES = {"reduction": [4, 16, 32]}


def sealed(folder: Path, plan: Design, *primary: str) -> Seal:
    return seal_study(plan, StudyPaths("tiny", folder, folder), primary)


def results_of(folder: Path, plan: Design) -> Results:
    return Results(plan, StudyPaths("tiny", folder, folder).open_record())


def test_a_seal_says_what_is_asked_and_by_which_code(tmp_path: Path) -> None:
    plan = study_design(axes=AXES, margin=0.3)
    seal = sealed(tmp_path, plan, "SE r=4")
    [read] = read_seals(tmp_path / "tiny")
    assert read == seal
    assert (read.primary, read.known, read.planned, read.rule) == (("SE r=4",), 0, 24, rule_of(plan.study))
    assert (read.fields["margin"], read.fields["seeds"]) == (0.3, [0, 1, 2, 3, 4, 5])
    assert (len(read.source), "title" in read.fields) == (16, False)
    again = sealed(tmp_path, plan, "SE r=4")
    assert again == seal
    assert len(read_seals(tmp_path / "tiny")) == 1


def test_without_a_seal_nothing_is_said(tmp_path: Path) -> None:
    results = results_of(tmp_path, study_design())
    assert (standing_of(results), seal_sentence(results), seal_facts(results)) == (None, "", ())


def test_rows_confirm_if_they_were_primary_and_are_as_they_were(tmp_path: Path) -> None:
    sealed(tmp_path, study_design(axes=AXES), "SE r=4", "plain")
    results = results_of(tmp_path, study_design(axes=AXES))
    assert standing_of(results) == {
        "plain": "confirmatory", "SE r=4": "confirmatory", "SE r=32": "exploratory",
    }  # fmt: skip
    sentence = seal_sentence(results)
    assert "was sealed on" in sentence
    assert (
        " before any of its trials. Exploratory, as they are not primary or were changed since: SE r=32."
        in sentence
    )
    added = results_of(tmp_path, study_design(axes={"reduction": [4, 16, 32, 8], "squeeze": ["avg", "max"]}))
    assert standing_of(added) == {
        "plain": "confirmatory", "SE r=4": "confirmatory", "SE r=32": "exploratory", "SE r=8": "exploratory",
        "SE max": "exploratory",
    }  # fmt: skip
    assert "axes.reduction" in seal_sentence(added)


def test_a_label_does_not_make_another_network_confirm(tmp_path: Path) -> None:
    """The name of a sealed row, given to a row that was found better afterwards."""
    sealed(tmp_path, study_design(axes={"reduction": [4]}, labels={"reduction=4": "Ours"}), "Ours")
    renamed = study_design(
        axes={"reduction": [2, 4]}, labels={"reduction=2": "Ours", "reduction=4": "Theirs"}
    )
    standing = standing_of(results_of(tmp_path, renamed))
    assert standing is not None
    assert (standing["Ours"], standing["Theirs"]) == ("exploratory", "exploratory")


@pytest.mark.parametrize(
    ("changes", "said", "stands"),
    [
        ({"margin": 0.5}, "margin (added)", "confirmatory"),
        ({"seeds": 8}, "seeds", "confirmatory"),
        ({"recipe": {"base": "cifar-quick", "epochs": 3}}, "recipe.epochs (10.0, now 3.0)", "exploratory"),
        (
            {"baseline": {"backbone": "resnet8", "variant": "se", "data": "cifar10"}},
            'baseline.backbone ("resnet20", now "resnet8")',
            "exploratory",
        ),
        ({"title": "Other words"}, "nothing", "confirmatory"),
    ],
)
def test_what_was_changed_after_sealing_is_listed(
    changes: dict[str, Any], said: str, stands: str, tmp_path: Path
) -> None:
    sealed(tmp_path, study_design(axes=AXES))
    results = results_of(tmp_path, study_design(axes=AXES, **changes))
    facts = dict(seal_facts(results))
    assert said in facts["changed after sealing"]
    assert set((standing_of(results) or {}).values()) == {stands}
    assert "sealed" in {row.cells[0].text() for row in setup_table(results).rows}


def test_the_precision_of_a_machine_changes_nothing_that_was_sealed(tmp_path: Path) -> None:
    plan = study_design(axes=AXES)
    sealed(tmp_path, plan)
    other = Design(plan.study.in_precision("fp32"), *study_rows_in_fp32())
    assert set((standing_of(results_of(tmp_path, other)) or {}).values()) == {"confirmatory"}


def study_rows_in_fp32() -> tuple[Any, ...]:
    from ablations.planning.design import design

    found = design(study_design(axes=AXES).study.in_precision("fp32"))
    return found.rows, found.baseline, found.plain, found._axes


def test_trials_that_were_known_are_counted_wherever_they_are(tmp_path: Path) -> None:
    plan = study_design(axes=AXES)
    write_record(
        tmp_path / "tiny", simulated(plan, skip=[(r.label, s) for r in plan.rows for s in range(1, 6)])
    )
    write_record(tmp_path / "another", [line(plan, plan.baseline, 1, 9.0)])
    (tmp_path / "tiny" / "trials.before-20260101T000000Z.jsonl").write_text(
        json.dumps(line(plan, plan.baseline, 2, 9.0)) + "\n", encoding="utf-8"
    )
    assert sealed(tmp_path, plan).known == 6
    results = results_of(tmp_path, plan)
    assert "sealed on" in seal_sentence(results)
    assert "after 6 of 24 trials" in seal_sentence(results)
    assert "after 6 of 24 trials" in dict(seal_facts(results))["sealed"]


def test_a_study_whose_results_are_all_known_cannot_be_sealed(tmp_path: Path) -> None:
    plan = study_design(axes=AXES)
    write_record(tmp_path / "tiny", simulated(plan))
    with pytest.raises(UserError, match="cannot be sealed: all 24 trials of it are finished"):
        sealed(tmp_path, plan)
    assert not (tmp_path / "tiny" / "seal.jsonl").exists()


def test_a_second_seal_does_not_hide_the_first(tmp_path: Path) -> None:
    sealed(tmp_path, study_design(axes=AXES, margin=0.3), "SE r=4")
    sealed(tmp_path, study_design(axes=AXES, margin=0.5), "SE r=32")
    first = results_of(tmp_path, study_design(axes=AXES, margin=0.3))
    assert (seal_of(first) or first).primary == ("SE r=4",)  # type: ignore[union-attr]
    now = results_of(tmp_path, study_design(axes=AXES, margin=0.5))
    facts = seal_facts(now)
    assert dict(facts)["changed after sealing"] == "nothing"
    assert dict(facts)["also sealed"].endswith("another margin, primary rows")


@pytest.mark.parametrize("primary", ["SE r=5", "SE"])
def test_a_row_that_is_not_compared_is_refused(primary: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown row to compare with the baseline"):
        sealed(tmp_path, study_design(axes=AXES), primary)


@pytest.mark.parametrize(
    "change",
    [
        {"primary": [1]}, {"primary": 5}, {"rows": []}, {"rows": {"SE": 1}}, {"known": -1}, {"planned": True},
        {"planned": 2**63}, {"fields": []}, {"dirty": "no"}, {"time": 5}, {"more": 1}, {"schema": "x"},
    ],
)  # fmt: skip
def test_a_line_that_is_none_is_said_in_one_line(change: dict[str, Any], tmp_path: Path) -> None:
    plan = study_design(axes=AXES)
    sealed(tmp_path, plan)
    path = tmp_path / "tiny" / "seal.jsonl"
    path.write_text(
        json.dumps({**json.loads(path.read_text(encoding="utf-8")), **change}) + "\n", encoding="utf-8"
    )
    with pytest.raises(
        RecordError, match=r"seal\.jsonl, line 1 is corrupt: .*; correct or remove that line"
    ) as said:
        standing_of(results_of(tmp_path, plan))
    assert "\n" not in str(said.value)


def test_what_a_seal_says_acts_on_no_terminal(tmp_path: Path) -> None:
    plan = study_design(axes=AXES)
    sealed(tmp_path, plan)
    path = tmp_path / "tiny" / "seal.jsonl"
    content = json.loads(path.read_text(encoding="utf-8"))
    nasty = {
        **content,
        "time": "\x1b[31m",
        "commit": "\x07",
        "fields": {"\x1b[2J": "\x1b"},
        "primary": ["\x1b]0;x"],
    }
    path.write_text(json.dumps(nasty) + "\n", encoding="utf-8")
    results = results_of(tmp_path, plan)
    shown = [seal_sentence(results), *(text for fact in seal_facts(results) for text in fact)]
    assert all(text.isprintable() for text in shown)


def test_the_report_marks_rows_that_explore_in_every_table(tmp_path: Path) -> None:
    plan = study_design(axes=AXES)
    sealed(tmp_path, plan, "plain")
    write_record(tmp_path / "tiny", simulated(plan, effects={"SE r=4": 2.0}))
    results = results_of(tmp_path, plan)
    written = write_report(results, tmp_path / "reports").markdown
    assert written is not None
    text = written.read_text(encoding="utf-8")
    head = text[: text.index("\n## ")]
    assert "Exploratory, as they are not primary or were changed since: SE r=4, SE r=32." in head
    assert "exploratory: worse" in text
    [plain] = [line for line in text.splitlines() if line.startswith("| plain | –")]
    assert "exploratory" not in plain
