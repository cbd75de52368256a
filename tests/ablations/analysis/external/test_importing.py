"""`ablate import`: recorded runs become trials of a study, marked as such; the rest is trained, and all is compared."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ablations as ab
from tests.ablations.analysis.external import recorded

STUDY = """
title: Rates
question: Which rate?
experiment:
  command: ["{python}", train.py, "{lr}", "{depth}", "{seed}"]
  metrics: {error: {goal: minimise, unit: "%"}}
  read: {regex: "error ([0-9.]+)"}
baseline: {lr: 0.1, depth: 2}
axes: {lr: [0.1, 0.01, 0.001]}
seeds: 5
margin: 0.2
"""
TUNED = (
    STUDY.replace('unit: "%"}}', 'unit: "%"}, held_out: {goal: minimise}}')
    .replace(
        'read: {regex: "error ([0-9.]+)"}',
        'read: {regex: {error: "error ([0-9.]+)", held_out: "held ([0-9.]+)"}}',
    )
    .replace(
        "axes: {lr: [0.1, 0.01, 0.001]}",
        "axes: {depth: [2, 3]}\ndesign: tuned\ntune: {validation_metric: held_out, ranges: {lr: [0.01, 1.0]}}",
    )
)
PROGRAM = """
import sys
lr, depth, seed = map(float, sys.argv[1:])
print("error", round(8 + lr + 0.1 * seed + 0.01 * (seed * lr * 70 % 3), 4))
"""

Ablate = Callable[..., Any]


@pytest.fixture
def own(ablate: Ablate, tmp_path: Path) -> Path:
    """A study of a program in the working folder, and the place of its record."""
    (tmp_path / "own.yaml").write_text(STUDY)
    (tmp_path / "train.py").write_text(PROGRAM)
    return tmp_path / "results/own/trials.jsonl"


def write_csv(*more: str, rates: tuple[str, ...] = tuple(recorded.VARIANTS), name: str = "runs.csv") -> None:
    rows = [f"{r}0,{s},{recorded.error_of(r, s)}" for r, s in recorded.runs() if r in rates]
    Path(name).write_text("\n".join(["lr,seed,error", *rows, *more]) + "\n")


def lines_of(record: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in record.read_text().splitlines()]


def values_of(record: Path) -> dict[tuple[float, int], float]:
    return {
        (line["trial"]["factors"]["lr"], line["trial"]["seed"]): line["result"]["metrics"]["error"]
        for line in lines_of(record)
        if line["result"]
    }


EXPECTED = {(float(rate), seed): recorded.error_of(rate, seed) for rate, seed in recorded.runs()}


@pytest.mark.usefixtures("mlflow_here")
@pytest.mark.parametrize("source", ["runs.csv", "mlflow:rates"])
def test_every_run_is_the_trial_of_its_settings_with_its_value(
    ablate: Ablate, own: Path, source: str
) -> None:
    write_csv()
    shown = ablate("import", source, "own.yaml", "--dry-run")
    assert shown.status == 0, shown.err
    assert "15 trials would be imported" in shown.out
    assert "depth 2" in shown.out  # taken for granted
    assert not own.exists()

    said = ablate("import", source, "own.yaml")
    assert (said.status, "15 trials imported" in said.out, "ablate report" in said.out) == (0, True, True), (
        said.err
    )
    assert values_of(own) == pytest.approx(EXPECTED)
    first = lines_of(own)[0]
    assert first["imported"]["source"] == source
    assert first["imported"]["run"].startswith("line 2" if source == "runs.csv" else "run ")
    assert len(first["imported"]["digest"]) == 64
    assert first["result"]["train_seconds"] is None

    before = own.read_bytes()
    again = ablate("import", source, "own.yaml")
    assert "0 trials imported" in again.out
    assert "15 of its" in again.out
    assert own.read_bytes() == before


@pytest.mark.slow
def test_what_is_missing_is_trained_and_all_is_compared_and_told_apart(ablate: Ablate, own: Path) -> None:
    write_csv(rates=("0.1", "0.01"))
    assert "trains the 5 that are left" in ablate("import", "runs.csv", "own.yaml").out
    imported = own.read_bytes()
    said = ablate("run", "own.yaml", "--no-tracking", "--workers", "2")
    assert said.status == 0, said.err
    assert "15 trials, 10 recorded, 5 to train" in said.out
    assert own.read_bytes().startswith(imported)
    assert len(lines_of(own)) == 15

    status = ablate("status", "own.yaml").out
    assert "15 of 15 trials finished" in status
    assert "10 of 15 trials were imported, from runs.csv" in status
    report = Path("reports/own/report.md").read_text()
    assert "10 of 15 trials were imported, from runs.csv" in report
    assert "of 5 trials: that of 10 imported ones is not known" in report
    assert "Confounded with where they ran: lr=0.001 (5 of 5 pairs)." in report
    assert report.count("Confounded with where they ran") == 2  # at its head and below the table
    assert "Confounded with the machine" not in report
    assert "Imported: lr=0.01 (5), baseline (5)" in report or "Imported: baseline (5), lr=0.01 (5)" in report
    results = ab.load_results("own.yaml")
    assert results.to_dict()["progress"]["imported"] == 10
    seconds = results.trials.groupby("row")["train_seconds"].count()
    assert seconds.to_dict() == {"baseline": 0, "lr=0.01": 0, "lr=0.001": 5}
    assert "(10 imported)" in ablate("doctor", "own.yaml", "--no-tracking").out


def test_no_comparison_is_confounded_where_both_of_each_pair_were_imported(ablate: Ablate, own: Path) -> None:
    write_csv()
    ablate("import", "runs.csv", "own.yaml")
    said = ablate("report", "own.yaml")
    assert said.status == 0, said.err
    report = Path("reports/own/report.md").read_text()
    assert "15 of 15 trials were imported" in report
    assert "Confounded" not in report
    assert "training time" not in report  # unknown is not zero


def test_rows_from_two_sources_are_confounded(ablate: Ablate, own: Path) -> None:
    write_csv(rates=("0.1",))
    write_csv(rates=("0.01", "0.001"), name="others.csv")
    ablate("import", "runs.csv", "own.yaml")
    ablate("import", "others.csv", "own.yaml")
    assert "10 from others.csv, 5 from runs.csv" in ablate("status", "own.yaml").out
    ablate("report", "own.yaml")
    assert "lr=0.01 (5 of 5 pairs), lr=0.001 (5 of 5 pairs)" in Path("reports/own/report.md").read_text()


@pytest.mark.slow
def test_reproduce_says_whether_the_code_of_the_study_gives_an_imported_result(
    ablate: Ablate, own: Path
) -> None:
    write_csv(rates=("0.1",))
    Path("runs.csv").write_text(
        "lr,seed,error\n0.1,0,8.1\n0.1,1,7.5\n"
    )  # the first is what the program prints
    ablate("import", "runs.csv", "own.yaml")
    same, other = (line["key"] for line in lines_of(own))
    said = ablate("reproduce", "own", same)
    assert (said.status, "imported from runs.csv, line 2" in said.out) == (0, True)
    assert "the code of this study gives the same result" in said.out
    said = ablate("reproduce", "own", other)
    assert (said.status, "cannot be made again by the code of this study" in said.out) == (1, True)
    assert "error: recorded 7.5, now 8.2" in said.out
    assert "imported from runs.csv, line 2" in ablate("why", "own.yaml", same).out


def test_failed_runs_are_kept_as_failed_trials(ablate: Ablate, own: Path) -> None:
    write_csv("0.1,0,nan", "0.01,0,inf", "0.001,0,", rates=())
    said = ablate("import", "runs.csv", "own.yaml")
    assert said.status == 0, said.err
    assert [line["failure"]["kind"] for line in lines_of(own)] == ["error", "diverged", "error"]
    assert "(diverged) taken as failed, which counts" in said.out
    assert "3 of its lines are there already" in ablate("import", "runs.csv", "own.yaml").out
    write_csv("0.1,0,8.5", rates=())  # repeated, and ended well
    assert "1 trial imported" in ablate("import", "runs.csv", "own.yaml").out
    assert values_of(own) == {(0.1, 0): 8.5}


@pytest.mark.slow
@pytest.mark.usefixtures("mlflow_here")
def test_mlflow_shows_imported_trials_which_are_not_imported_from_there(ablate: Ablate, own: Path) -> None:
    from mlflow.tracking import MlflowClient

    ablate("import", "mlflow:rates", "own.yaml")
    said = ablate("sync", "own.yaml")
    assert said.status == 0, said.err
    client = MlflowClient(f"sqlite:///{Path('results/mlflow.db').resolve()}")
    [experiment] = [one for one in client.search_experiments() if one.name == "own"]
    runs = client.search_runs([experiment.experiment_id], "tags.`senet.level` = 'trial'")
    assert {run.data.tags["senet.imported"].partition(",")[0] for run in runs} == {"mlflow:rates"}
    assert len(runs) == 15
    assert not any("senet.command" in run.data.tags for run in runs)
    assert "MLflow lacks" not in ablate("doctor", "own.yaml").out
    refused = ablate("import", "mlflow:own", "own.yaml", "--tracking-uri", "results/mlflow.db")
    assert (refused.status, "but those that our own sweeps have logged" in refused.err) == (2, True), (
        refused.err
    )


FUNCTION = """
title: Rates
question: Which rate?
experiment:
  call: measured_rates:train
  metrics: {error: {goal: minimise, unit: "%"}, loss: {goal: minimise}}
baseline: {lr: 0.1}
axes: {lr: [0.1, 0.01]}
seeds: 3
margin: 0.2
"""


def test_a_study_of_a_function_takes_each_of_its_metrics(ablate: Ablate) -> None:
    Path("own.yaml").write_text(FUNCTION)
    Path("measured_rates.py").write_text("def train(lr, seed):\n    return {'error': 8.0, 'loss': lr}\n")
    Path("runs.csv").write_text("lr,seed,error,loss\n0.1,0,8,0.5\n0.1,1,9,\n0.1,2,,0.2\n0.01,0,7,0.4\n")
    said = ablate("import", "runs.csv", "own.yaml")
    assert said.status == 0, said.err
    lines = lines_of(Path("results/own/trials.jsonl"))
    assert [line["result"] and line["result"]["metrics"] for line in lines] == [
        {"error": 8, "loss": 0.5},
        None,
        None,
        {"error": 7, "loss": 0.4},
    ]
    assert "(without loss) taken as failed, which counts: 3." in said.out
    assert "(without error) taken as failed, which counts: 4." in said.out
    refused = ablate("import", "runs.csv", "own.yaml", "--metric", "loss=error")
    assert (refused.status, refused.err.count("\n")) == (2, 1)
    assert "'error' of the source cannot be two things of the study, error and loss" in refused.err


def test_a_record_that_was_cut_off_anywhere_is_completed_by_the_same_command(
    ablate: Ablate, own: Path
) -> None:
    write_csv()
    ablate("import", "runs.csv", "own.yaml")
    whole = own.read_bytes()
    ends = [place for place, byte in enumerate(whole) if byte == ord("\n")]
    for cut in (0, 1, ends[0], ends[0] + 1, ends[4] - 7, ends[9] + 1, ends[9] + 99, ends[-1]):
        own.write_bytes(whole[:cut])
        assert ablate("import", "runs.csv", "own.yaml").status == 0
        assert values_of(own) == pytest.approx(EXPECTED), cut
        assert set(Counter(line["key"] for line in lines_of(own)).values()) == {1}


def test_names_of_the_source_are_given_where_they_are_others(ablate: Ablate, own: Path) -> None:
    rows = [f"{rate},{seed},{recorded.error_of(rate, seed)},2" for rate, seed in recorded.runs()]
    Path("runs.csv").write_text("\n".join(["learning_rate,run,err,layers", *rows]) + "\n")
    names = (
        "--setting",
        "lr=learning_rate",
        "--setting",
        "depth=layers",
        "--metric",
        "error=err",
        "--seed",
        "run",
    )
    said = ablate("import", "runs.csv", "own.yaml", *names)
    assert said.status == 0, said.err
    assert "for granted" not in said.out
    assert values_of(own) == pytest.approx(EXPECTED)


def test_runs_of_other_seeds_and_settings_are_left_out_and_told(ablate: Ablate, own: Path) -> None:
    write_csv("0.1,7,8.0", "0.5,0,8.0", rates=("0.1",))
    said = ablate("import", "runs.csv", "own.yaml")
    assert "5 trials imported" in said.out
    assert "seeds that the study does not plan (7; --seeds N takes 0 to N-1): 7." in said.out
    assert "of 8 the nearest row is 'baseline', with lr 0.1, and the run has '0.5'" in said.out
    more = ablate("import", "runs.csv", "own.yaml", "--seeds", "8")
    assert "1 trial imported" in more.out
    assert (0.1, 7) in values_of(own)


def test_a_setting_that_differs_with_the_rows_and_is_no_factor_is_told(ablate: Ablate, own: Path) -> None:
    rows = [f"{r},{s},{recorded.error_of(r, s)},{'a' if r == '0.1' else 'b'}" for r, s in recorded.runs()]
    Path("runs.csv").write_text("\n".join(["lr,seed,error,machine", *rows]) + "\n")
    assert "Confounded: rows differ in machine, too" in ablate("import", "runs.csv", "own.yaml").out


REFUSED: dict[str, tuple[list[str], tuple[str, ...], str]] = {
    "no row": (
        ["0.5,0,8.0"],
        (),
        "for line 2, the nearest row is 'baseline', with lr 0.1, and the run has '0.5'",
    ),
    "no seed": (["0.1,9,8.0"], (), "for line 2, the row 'baseline' has no seed 9, but 0, 1, 2, 3, 4"),
    "seed of another kind": (["0.1,first,8.0"], (), "its seed 'first' is no whole number"),
    "two runs": (["0.1,0,8.0", "0.10,0,8.1"], (), "lines 2 and 3: both are the trial 'baseline', seed 0"),
    "fractions": (["0.1,0,0.08", "0.1,1,0.09"], (), "values of 'error' are 0.08 to 0.09, as if fractions"),
    "mixed units": (["0.1,0,0.08", "0.1,1,9"], (), "values of 'error' have mixed units"),
    "another unit": (
        ["0.1,0,8"],
        ("--unit", "points"),
        "--unit 'points' is not the study's, which has error in %",
    ),
    "unknown metric": (
        ["0.1,0,8"],
        ("--metric", "eror=x"),
        "unknown metric of this study 'eror'; did you mean 'error'?",
    ),
    "absent metric": (
        ["0.1,0,8"],
        ("--metric", "error=err"),
        "unknown column 'err'; did you mean 'error'? known: lr, seed, error; --metric METRIC=NAME",
    ),
    "unknown factor": (["0.1,0,8"], ("--setting", "rate=lr"), "unknown factor of this study 'rate'"),
    "absent setting": (["0.1,0,8"], ("--setting", "lr=rate"), "--setting FACTOR=NAME"),
    "no pair": (["0.1,0,8"], ("--setting", "lr"), "--setting takes FACTOR=NAME, got 'lr'"),
    "one name for two factors": (
        ["0.1,0,8"],
        ("--setting", "depth=lr"),
        "'lr' of the source cannot be two things of the study, ",
    ),
    "one name for factor and seed": (["0.1,0,8"], ("--seed", "lr"), "lr and the seed"),
    "no step": (["0.1,0,8"], ("--at", "bset"), "--at takes last or the number of a step, got 'bset'"),
    "best": (["0.1,0,8"], ("--at", "best"), "--at takes last or the number of a step"),
    "no steps": (["0.1,0,8"], ("--at", "3"), "keeps one value for each line"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_imported_is_refused_in_a_line_and_nothing_is_written(
    ablate: Ablate, own: Path, case: str
) -> None:
    rows, words, expected = REFUSED[case]
    write_csv(*rows, rates=())
    said = ablate("import", "runs.csv", "own.yaml", *words)
    assert (said.status, said.out) == (2, "")
    assert expected in said.err
    assert said.err.count("\n") == 1
    assert not own.exists()


def test_a_trial_with_another_result_is_refused(ablate: Ablate, own: Path) -> None:
    write_csv()
    ablate("import", "runs.csv", "own.yaml")
    before = own.read_bytes()
    write_csv("0.1,0,9.5", rates=())
    said = ablate("import", "runs.csv", "own.yaml")
    assert said.status == 2
    assert "has another result already, imported from runs.csv, line 2: error" in said.err
    assert own.read_bytes() == before


def test_values_beside_those_of_the_record_are_in_one_unit(ablate: Ablate, own: Path) -> None:
    write_csv("0.1,0,8.3", "0.1,1,8.4", rates=())
    ablate("import", "runs.csv", "own.yaml")
    write_csv("0.1,2,0.08", rates=())
    said = ablate("import", "runs.csv", "own.yaml")
    assert (said.status, "mixed units" in said.err) == (2, True), said.err
    assert ablate("import", "runs.csv", "own.yaml", "--unit", "%").status == 0


@pytest.mark.parametrize(
    ("study", "what"),
    [
        ("small.yaml", "is of networks, whose trials carry outcomes on each test image"),
        ("pruning", "is of pruning, whose trials carry the digest of the data"),
        ("tuned.yaml", "chooses what it compares (design: tuned)"),
    ],
)
@pytest.mark.usefixtures("own")
def test_a_study_whose_trials_carry_more_takes_no_runs(ablate: Ablate, study: str, what: str) -> None:
    write_csv()
    Path("tuned.yaml").write_text(TUNED)
    said = ablate("import", "runs.csv", study)
    assert said.status == 2
    assert what in said.err
    assert said.err.count("\n") == 1


def test_a_sealed_plan_says_that_imported_results_may_be_older(ablate: Ablate, own: Path) -> None:
    assert ablate("plan", "own.yaml", "--seal").status == 0
    write_csv()
    ablate("import", "runs.csv", "own.yaml")
    ablate("report", "own.yaml")
    report = Path("reports/own/report.md").read_text()
    assert "15 trials imported since then may be older than it" in report


PAGE = (Path(__file__).parents[4] / "docs/recorded-runs.md").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.usefixtures("mlflow_here", "own")
def test_the_commands_of_the_page_extend_what_was_recorded(ablate: Ablate) -> None:
    Path("rates.yaml").write_text(STUDY.replace("[0.1, 0.01, 0.001]", "[0.1, 0.01, 0.001, 0.5]"))
    [block] = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)
    for line in block.splitlines():
        program, *words = shlex.split(line, comments=True)
        said = ablate(*words, *(["--no-tracking"] if words[0] == "run" else []))
        assert (program, said.status) == ("ablate", 0), said.err
    assert "lr=0.5 (5 of 5 pairs)" in Path("reports/rates/report.md").read_text()
