"""A trial says in which precision it is computed; what was recorded as "auto" is found by what its record says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ablations.analysis.report.request import read_request
from ablations.analysis.results import precision
from ablations.analysis.results.interims import seed_order
from ablations.analysis.results.machines import machine_warnings, precision_text
from ablations.analysis.results.precision import Confounded, both_precisions, design_of
from ablations.analysis.results.results import Results
from ablations.analysis.tables.provenance import warnings
from ablations.errors import StudyError
from ablations.planning.choices.arms import arms_of
from ablations.planning.design import Design, design
from ablations.planning.networks.study import NetworkStudy
from ablations.planning.study_file import load_typed, parse_study
from ablations.planning.trial import in_precision, trial_key
from ablations.running.record.other_studies import OtherStudies
from ablations.running.record.proposals import Proposal, add_proposal
from ablations.running.record.study_record import StudyRecord
from ablations.running.record.trial_record import TrialRecord
from tests.ablations.analysis.synthetic import ENVIRONMENT, line, simulated, write_record

ROOT = Path(__file__).parents[4]
STUDY: dict[str, Any] = {
    "name": "tiny",
    "title": "Reduction",
    "question": "Does it matter?",
    "baseline": {"backbone": "resnet20", "variant": "se", "data": "cifar10"},
    "recipe": "cifar-quick",
    "axes": {"reduction": [4, 16, 32]},
    "seeds": 3,
}


def study(**changes: Any) -> NetworkStudy:
    return parse_study({**STUDY, **changes})


def computed_in(value: str, **more: Any) -> dict[str, Any]:
    return {"environment": {**ENVIRONMENT, "precision": value, **more}}


def as_auto(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines as they were written when trials said "auto"."""
    trials = [in_precision(entry["trial"], "auto") for entry in lines]
    return [
        {**entry, "trial": trial, "key": trial_key(trial)} for entry, trial in zip(lines, trials, strict=True)
    ]


@pytest.fixture(params=["fp32", "bf16"])
def here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What this machine computes in."""
    monkeypatch.setattr(precision, "precision_here", lambda: request.param)
    return str(request.param)


def test_the_key_of_a_trial_tells_fp32_from_bf16(here: str, tmp_path: Path) -> None:
    one, other = (design(study().in_precision(p)).trials[0] for p in ("fp32", "bf16"))
    assert one.key != other.key
    assert (one.to_json()["recipe"]["precision"], other.to_json()["recipe"]["precision"]) == ("fp32", "bf16")
    begun_here = design_of(study(), StudyRecord(tmp_path))
    assert begun_here.baseline.recipe.precision == here
    said = study(recipe={"base": "cifar-quick", "precision": "bf16"})
    assert design_of(said, StudyRecord(tmp_path)).baseline.trial(0) == design(said).baseline.trial(0)


def test_what_a_study_asks_is_the_same_in_either_precision() -> None:
    asked = study()
    assert asked.in_precision("bf16").fields() == asked.fields()
    assert asked.in_precision("bf16").recipe.precision == "auto"
    assert asked.in_precision("bf16").model_copy(update={"title": "x"}).trained_recipe.precision == "bf16"


@pytest.mark.parametrize("was", ["fp32", "bf16"])
def test_a_study_goes_on_in_the_precision_in_which_it_was_begun(here: str, was: str, tmp_path: Path) -> None:
    begun = design(study().in_precision(was))
    lines = simulated(begun, skip=[("SE r=32", 2)], **computed_in(was))
    for number, written in enumerate((lines, as_auto(lines))):
        record = write_record(tmp_path / str(number), written)
        before = (record.folder / "trials.jsonl").read_bytes()
        found = design_of(study(), record)
        assert found.baseline.recipe.precision == was
        assert len(Results(found, record).finished) == len(lines)
        assert both_precisions(study(), record) == ""
        assert (record.folder / "trials.jsonl").read_bytes() == before


def test_one_failure_is_a_beginning(here: str, tmp_path: Path) -> None:
    begun = design(study().in_precision("bf16"))
    record = write_record(tmp_path, [line(begun, begun.baseline, 0, None, **computed_in("bf16"))])
    assert design_of(study(), record).baseline.recipe.precision == "bf16"


def test_trials_of_another_recipe_are_no_beginning(here: str, tmp_path: Path) -> None:
    other = design(study(recipe={"base": "cifar-quick", "epochs": 3}).in_precision("bf16"))
    record = write_record(tmp_path, simulated(other, **computed_in("bf16")))
    assert design_of(study(), record).baseline.recipe.precision == here


def mixed(folder: Path) -> StudyRecord:
    """A record whose rows were computed in different precisions, as two machines left it."""
    both = [design(study().in_precision(p)) for p in ("fp32", "bf16")]
    lines = simulated(both[0], skip=[("SE r=4", s) for s in range(3)], **computed_in("fp32"))
    lines += [
        line(both[1], row, 0, 9.0, **computed_in("bf16")) for row in both[1].rows if row.label == "SE r=4"
    ]
    return write_record(folder, as_auto(lines))


def test_rows_in_two_precisions_are_not_compared(here: str, tmp_path: Path) -> None:
    record = mixed(tmp_path)
    with pytest.raises(Confounded) as refused:
        design_of(study(), record)
    assert str(refused.value) == (
        "study 'tiny' is confounded with precision: its record has trials of it in both, fp32: SE (3), plain (3), SE "
        "r=32 (3); bf16: SE r=4 (1); go on in one of them: `overrides=recipe.precision=fp32` or "
        "`overrides=recipe.precision=bf16`"
    )
    assert both_precisions(study(), record) == str(refused.value)
    assert design_of(study(), record, refuse=False).baseline.recipe.precision == "fp32"
    said = study(recipe={"base": "cifar-quick", "precision": "bf16"})
    assert len(Results(design_of(said, record), record).finished) == 1
    assert both_precisions(said, record) == ""
    assert design_of(study(), None).baseline.recipe.precision == here


def test_precision_as_an_axis_is_what_is_asked(here: str, tmp_path: Path) -> None:
    asked = study(axes={"recipe.precision": ["bf16", "fp32"]}, include_plain=False)
    rows = design_of(asked, StudyRecord(tmp_path)).rows
    assert [row.recipe.precision for row in rows] == ["bf16", "fp32"]
    lines = [
        line(design(asked), row, seed, 9.0 + seed, **computed_in(row.recipe.precision, winograd=winograd))
        for row, winograd in zip(rows, (False, True), strict=True)
        for seed in range(3)
    ]
    record = write_record(tmp_path, lines)
    results = Results(design_of(asked, record), record)
    assert (len(results.finished), both_precisions(asked, record)) == (6, "")
    assert warnings(results) == ()


def test_auto_is_no_value_of_an_axis_nor_of_a_range() -> None:
    with pytest.raises(
        StudyError, match=r"axis 'recipe\.precision' has the value 'auto', which is one of the"
    ):
        study(axes={"recipe.precision": ["fp32", "auto"]})
    tune = {"ranges": {"precision": {"choices": ["fp32", "auto"]}}, "trials": 4, "validation_images": 500}
    tuned = study(design="tuned", tune=tune)
    with pytest.raises(StudyError, match=r"tune\.ranges\.precision has the choice 'auto', which is one of"):
        arms_of(design(tuned))


def test_a_line_that_was_changed_by_hand_belongs_to_no_trial(tmp_path: Path) -> None:
    begun = design(study().in_precision("fp32"))
    lines = as_auto(simulated(begun, **computed_in("fp32")))
    lines[0]["trial"] = {**lines[0]["trial"], "seed": 7}
    lines[1]["environment"] = {**ENVIRONMENT, "precision": "fp8"}
    lines[2]["trial"] = {**lines[2]["trial"], "recipe": "auto"}
    lines[3]["environment"] = {name: value for name, value in ENVIRONMENT.items() if name != "precision"}
    record = write_record(tmp_path, lines)
    assert [entry.written_as is None for entry in record.trials.lines[:5]] == [True, True, True, True, False]
    assert len(Results(begun, record).finished) == len(lines) - 4


def test_what_another_study_takes_over_is_the_same_line(tmp_path: Path) -> None:
    begun = design(study().in_precision("fp32"))
    write_record(tmp_path / "old", as_auto(simulated(begun, **computed_in("fp32"))))
    key = begun.baseline.trial(0).key
    [found] = OtherStudies(tmp_path, "new", {"d" * 64}).finished([key])
    again = TrialRecord.from_line(found.to_line())
    assert (again.key, again.trial["recipe"]["precision"]) == (key, "fp32")
    assert json.loads(found.to_line())["key"] == again.written_as != key
    assert json.loads(found.to_line())["trial"]["recipe"]["precision"] == "auto"


def test_a_line_does_not_say_itself_what_it_was_written_as(tmp_path: Path) -> None:
    begun = design(study().in_precision("fp32"))
    entry = {**line(begun, begun.baseline, 0, 9.0), "written_as": "0" * 16}
    [found] = write_record(tmp_path, [entry]).trials.lines
    assert (found.key, found.written_as) == (begun.baseline.trial(0).key, None)


def test_interim_analyses_of_auto_count_for_what_they_were_computed_in(tmp_path: Path) -> None:
    begun = design(study(seeds=[4, 5, 6]).in_precision("fp32"))
    record = write_record(tmp_path, as_auto(simulated(begun, **computed_in("fp32"))))
    asked = trial_key(in_precision(begun.baseline.trial(0).to_json(), "auto"))
    ledger = f'{{"asked": "{asked}", "looks": [3], "most": 3, "seeds": [5, 4, 6]}}\n'
    (tmp_path / "looks.jsonl").write_text(ledger, encoding="utf-8")
    assert [plan.asked for plan in record.interim_plans] == [begun.baseline.trial(0).key]
    plans = Results(begun, record).interim_plans
    assert seed_order(begun, plans) == (5, 4, 6)
    elsewhere = Results(begun, StudyRecord(tmp_path.with_name("other")))
    assert elsewhere.interim_plans.elsewhere[0].asked == asked
    assert seed_order(begun, elsewhere.interim_plans) == (5, 4, 6)


def test_proposals_of_auto_are_those_of_the_precision_they_were_computed_in(
    here: str, tmp_path: Path
) -> None:
    tune = {"ranges": {"lr": {"choices": [0.1, 0.3]}}, "trials": 2, "validation_images": 500}
    asked = study(design="tuned", tune=tune)
    begun = design(asked.in_precision("bf16"))
    lines = []
    for arm in arms_of(begun):
        for number, lr in enumerate(("0.3", "0.1")):
            row = arm.space.proposed_row({"lr": lr})
            [entry] = as_auto([line(begun, row, 0, 12.0, **computed_in("bf16"))])
            lines.append(entry)
            add_proposal(tmp_path, Proposal(arm.name, arm.asked_as_auto, number, entry["key"], 0, {"lr": lr}))
    record = write_record(tmp_path, lines)
    found = design_of(asked, record)
    assert found.baseline.recipe.precision == "bf16"
    results = Results(found, record)
    assert [(choice.over, choice.judged[0].state) for choice in results.choices] == [(True, "finished")] * 4
    assert [choice.judged[0].proposal.key for choice in results.choices] == [
        choice.judged[0].trial.key for choice in results.choices
    ]
    other = Results(design(asked.in_precision("fp32")), record)
    assert [choice.judged for choice in other.choices] == [()] * 4


@pytest.mark.parametrize("folder", sorted((ROOT / "reports").glob("*/")), ids=lambda folder: folder.name)
def test_the_records_of_this_repository_are_found(folder: Path, here: str) -> None:
    asked = load_typed(read_request(folder).asked)
    record = StudyRecord(ROOT / "results" / folder.name)
    results = Results(design_of(asked, record), record)
    if isinstance(asked, NetworkStudy):
        in_bf16 = folder.name in {"first-epoch", "recipe-parts", "gates", "section6", "zoo"}
        assert results.design.baseline.recipe.precision == ("bf16" if in_bf16 else "fp32")
    lacking = () if results.race is None else results.race.trials  # a race may be published while it runs
    assert len(results.finished) + len(lacking) == results.asked_trials > len(lacking)
    assert not results.choices or all(choice.over for choice in results.choices)
    assert results.design.baseline.trial(0).key in {plan.asked for plan in record.interim_plans}


def spread(plan: Design, places: dict[str, list[str]]) -> list[dict[str, Any]]:
    return [
        line(
            plan,
            row,
            seed,
            9.0 + seed,
            **computed_in("fp32", processor=places.get(row.label, ["X"] * 3)[seed]),
        )
        for row in plan.rows
        for seed in plan.seeds
    ]


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ({}, ""),
        ({"SE r=4": ["Y", "X", "X"], "SE": ["X", "Y", "X"]}, ""),
        ({"SE r=4": ["Y", "Y", "X"]}, "Y (2 of 3), X (1 of 3)"),
        ({"SE r=4": ["Y", "Y", "Y"]}, "Y (3 of 3)"),
    ],
)
def test_rows_of_other_machines_are_named(places: dict[str, list[str]], said: str, tmp_path: Path) -> None:
    plan = design(study(include_plain=False).in_precision("fp32"))
    results = Results(plan, write_record(tmp_path, spread(plan, places)))
    expected = (
        "Confounded with the machine: these rows have another processor than the baseline (X (3 of 3)), so that a "
        f"difference may be the machine's: SE r=4: {said}."
    )
    assert machine_warnings(results) == ((expected,) if said else ())


ON_GPU = {
    "device": "NVIDIA H200",
    "cuda": "13.0",
    "cudnn": "92400",
    "driver": "580.82.07",
    "cublas_workspace": ":4096:8",
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        ({"cuda": "12.8"}, "CUDA 12.8, cuDNN 92400, driver 580.82.07, cuBLAS workspace :4096:8"),
        ({"cudnn": "91002"}, "CUDA 13.0, cuDNN 91002, driver 580.82.07, cuBLAS workspace :4096:8"),
        ({"driver": "575.57.08"}, "CUDA 13.0, cuDNN 92400, driver 575.57.08, cuBLAS workspace :4096:8"),
        ({"cublas_workspace": ":16:8"}, "CUDA 13.0, cuDNN 92400, driver 580.82.07, cuBLAS workspace :16:8"),
    ],
)
def test_rows_with_another_cuda_cudnn_or_driver_are_named(
    changed: dict[str, str], said: str, tmp_path: Path
) -> None:
    """Nothing else of the machines differs."""
    plan = design(study(include_plain=False).in_precision("fp32"))
    lines = [
        line(
            plan,
            row,
            seed,
            9.0 + seed,
            **computed_in("fp32", **{**ON_GPU, **(changed if row.label == "SE r=4" else {})}),
        )
        for row in plan.rows
        for seed in plan.seeds
    ]
    expected = (
        "Confounded with the machine: these rows have another version or setting of CUDA, cuDNN or the driver than the"
        " baseline (CUDA 13.0, cuDNN 92400, driver 580.82.07, cuBLAS workspace :4096:8 (3 of 3)), so that a difference"
        f" may be the machine's: SE r=4: {said} (3 of 3)."
    )
    found = machine_warnings(Results(plan, write_record(tmp_path, lines)))
    assert found == ((expected,) if said else ())


def test_of_a_row_on_another_device_its_cuda_is_not_said_too(tmp_path: Path) -> None:
    plan = design(study(include_plain=False).in_precision("fp32"))
    lines = [
        line(plan, row, seed, 9.0 + seed, **computed_in("fp32", **(ON_GPU if row.label == "SE r=4" else {})))
        for row in plan.rows
        for seed in plan.seeds
    ]
    [found] = machine_warnings(Results(plan, write_record(tmp_path, lines)))
    assert "another device than the baseline (cpu (3 of 3))" in found


def test_the_report_says_in_which_precision_and_where(tmp_path: Path) -> None:
    plan = design(study(include_plain=False).in_precision("fp32"))
    results = Results(plan, write_record(tmp_path, spread(plan, {"SE r=4": ["Y", "Y", "X"]})))
    said = precision_text(results.finished.values())
    assert said.startswith("fp32 on X (7 trials); fp32 on Y (2 trials). Rounded otherwise")
    assert precision_text([]) == ""


def test_mlflow_knows_a_line_by_the_key_that_it_had(tmp_path: Path) -> None:
    begun = design(study().in_precision("fp32"))
    [entry] = write_record(
        tmp_path, as_auto([line(begun, begun.baseline, 0, 9.0, **computed_in("fp32"))])
    ).trials.lines
    assert entry.written_as is not None
    assert entry.marks == {entry.mark, replace(entry, key=entry.written_as).mark}
    assert len(entry.marks) == 2


@pytest.mark.parametrize("given", [["fp32"], {"fp32": 1}, None])
def test_a_strangers_precision_may_be_anything(given: Any, tmp_path: Path) -> None:
    """A line that is none of the study's is read for it, too."""
    other = design(study().in_precision("fp32"))
    entry = line(other, other.baseline, 0, 10.0)
    trial = in_precision(entry["trial"], given)
    record = write_record(tmp_path, [{**entry, "trial": trial, "key": trial_key(trial)}])
    assert design_of(study(recipe={"base": "cifar-quick", "epochs": 3}), record).rows
