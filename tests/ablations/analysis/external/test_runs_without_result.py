"""Runs that failed, diverged, were repeated or deleted, and pairs that are missing: none goes unsaid."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ablations.analysis.external.asked import Asked
from ablations.analysis.external.registry import read_source
from ablations.analysis.external.table import TableFile
from tests.ablations.analysis.external import recorded


def read(text: str, **asked: Any) -> TableFile:
    return read_source(text, Asked(**asked))


def value(table: TableFile, variant: str, seed: int) -> float:
    frame = table.frame
    [found] = frame[(frame["variant"] == variant) & (frame["seed"] == seed)]["value"]
    return float(found)


def said(table: TableFile, words: str) -> bool:
    return any(words in note for note in table.notes)


@pytest.fixture
def client(mlflow_here: Path) -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient(f"sqlite:///{mlflow_here}")


@pytest.fixture
def add(client: Any) -> Callable[..., Any]:
    """Add a run to the experiment `rates`, or end it in another way than well."""
    experiment = client.get_experiment_by_name("rates").experiment_id

    def run(
        name: str, params: dict[str, object], error: float | None, status: str = "FINISHED", **tags: str
    ) -> str:
        identity: str = client.create_run(experiment, run_name=name, tags=tags).info.run_id
        for key, given in params.items():
            client.log_param(identity, key, given)
        if error is not None:
            client.log_metric(identity, "error", error)
        if status != "RUNNING":
            client.set_terminated(identity, status)
        return identity

    return run


ASKED: dict[str, Any] = {"variant": ("lr",), "metric": "error"}


@pytest.mark.usefixtures("ablate")
@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        ("FAILED", 3.0, "1 run (failed) counts as failed: 'odd'."),
        ("KILLED", None, "1 run (killed) counts as failed: 'odd'."),
        ("RUNNING", 3.0, "1 run (not finished) counts as failed: 'odd'."),
        ("FINISHED", None, "1 run (without error) counts as failed: 'odd'."),
        ("FINISHED", math.nan, "1 run (diverged) counts as failed: 'odd'."),
        ("FINISHED", math.inf, "1 run (diverged) counts as failed: 'odd'."),
        ("FINISHED", -math.inf, "1 run (diverged) counts as failed: 'odd'."),
    ],
)
def test_a_run_of_mlflow_without_a_result_counts_as_failed(
    add: Callable[..., Any], status: str, error: float | None, reason: str
) -> None:
    add("odd", {"lr": 0.1, "seed": 5}, error, status)
    found = read("mlflow:rates", **ASKED)
    assert math.isnan(value(found, "lr=0.1", 5))
    assert said(found, reason)
    assert said(found, "Not every variant has every seed: lr=0.01 lacks 5; lr=0.001 lacks 5.")


@pytest.mark.usefixtures("ablate")
def test_deleted_runs_and_runs_that_start_others_are_none(add: Callable[..., Any], client: Any) -> None:
    deleted = add("deleted", {"lr": 0.1, "seed": 0}, 99.0)
    client.delete_run(deleted)
    parent = add("sweep", {"epochs": 10}, 1.0)
    add("child", {"lr": 0.1, "seed": 5}, 8.0, **{"mlflow.parentRunId": parent})
    add("figures", {}, None)
    found = read("mlflow:rates", **ASKED)
    assert value(found, "lr=0.1", 0) == pytest.approx(recorded.error_of("0.1", 0))
    assert len(found.frame) == 16
    assert said(
        found, "1 run has neither a result nor all that makes variant and seed, and is left out: 'figures'."
    )


@pytest.mark.usefixtures("ablate")
def test_a_deleted_experiment_is_said(client: Any, ablate: Callable[..., Any]) -> None:
    client.delete_experiment(client.get_experiment_by_name("rates").experiment_id)
    ended = ablate("analyse", "mlflow:rates", "--baseline", "x")
    assert ended.status == 2
    assert "MLflow's experiment 'rates' is deleted; `mlflow experiments restore` brings it back" in ended.err


@pytest.mark.usefixtures("ablate")
def test_a_failed_run_that_was_repeated_is_left_out(add: Callable[..., Any]) -> None:
    add("first", {"lr": 0.1, "seed": 5}, None, "FAILED")
    add("second", {"lr": 0.1, "seed": 5}, 8.0)
    found = read("mlflow:rates", **ASKED)
    assert value(found, "lr=0.1", 5) == 8.0
    assert said(found, "1 run that did not end well was repeated and left out: 'first'.")


@pytest.mark.usefixtures("ablate")
def test_a_name_that_is_parameter_and_tag_is_told_apart(
    add: Callable[..., Any], ablate: Callable[..., Any]
) -> None:
    add("odd", {"lr": 0.1, "seed": 5}, 8.0, lr="a tag")
    ended = ablate("analyse", "mlflow:rates", "--variant", "lr", "--baseline", "x")
    assert "unknown parameter 'lr'" in ended.err
    assert "params.lr" in ended.err
    assert value(read("mlflow:rates", variant=("params.lr",)), "params.lr=0.1", 5) == 8.0


def test_runs_of_wandb_that_crashed_or_are_open_have_no_result(
    ablate: Callable[..., Any], tmp_path: Path
) -> None:
    recorded.by_wandb_offline(tmp_path, {("0.1", 0): 1, ("0.01", 1): None})
    found = read("wandb", **ASKED)
    assert math.isnan(value(found, "lr=0.1", 0))
    assert math.isnan(value(found, "lr=0.01", 1))
    assert said(found, "1 run (failed) counts as failed: 'run 0.1 0'.")
    assert said(found, "1 run (not finished) counts as failed: 'run 0.01 1'.")


def test_pruned_and_failed_trials_have_no_result_and_waiting_ones_are_none(
    ablate: Callable[..., Any], tmp_path: Path
) -> None:
    import optuna

    recorded.by_optuna(tmp_path)
    study = optuna.load_study(study_name="rates", storage=f"sqlite:///{tmp_path}/optuna.db")
    for seed, state in ((5, optuna.trial.TrialState.PRUNED), (6, optuna.trial.TrialState.FAIL)):
        study.enqueue_trial({"lr": "0.1"})
        trial = study.ask()
        trial.suggest_categorical("lr", list(recorded.VARIANTS))
        trial.set_user_attr("seed", seed)
        trial.report(1.0, 0)
        study.tell(trial, state=state)
    study.enqueue_trial({"lr": "0.1"})
    found = read("optuna:optuna.db")
    assert len(found.frame) == 17
    assert found.goal == "minimise"
    assert said(found, "1 trial (pruned) counts as failed: 15.")
    assert said(found, "1 trial (failed) counts as failed: 16.")


def write(folder: Path, error: object, **more: object) -> None:
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps({"error": error, **more}))


def test_a_run_that_ends_in_nan_has_diverged_whatever_its_best_was(
    ablate: Callable[..., Any], tmp_path: Path
) -> None:
    write(tmp_path / "js/a/seed0", [3.0, 1.0, 2.0])
    write(tmp_path / "js/b/seed0", [3.0, math.nan, 2.5])
    write(tmp_path / "js/c/seed0", [3.0, 0.5, math.nan])
    write(tmp_path / "js/d/seed0", None)
    best = read("js", at="best", goal="minimise")
    assert [value(best, name, 0) for name in "ab"] == [1.0, 2.5]
    assert math.isnan(value(best, "c", 0))
    assert said(best, "2 runs (diverged) count as failed: 'c/seed0', 'd/seed0'.")
    assert said(best, "such a value is chosen by what it is judged by")
    assert value(read("js", at="0"), "c", 0) == 3.0


def test_runs_of_different_length_are_said(ablate: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path / "js/a/seed0", [3.0, 1.0, 2.0])
    write(tmp_path / "js/b/seed0", [3.0, 1.0])
    assert said(read("js"), "Runs end at different steps, 1 to 2: each counts with its last value of error.")
    at = read("js", at="2")
    assert said(at, "Each run counts with its value of error at step 2.")
    assert math.isnan(value(at, "b", 0))


def test_config_json_beside_it_and_names_in_the_path_are_settings(
    ablate: Callable[..., Any], tmp_path: Path
) -> None:
    for place, rate in enumerate((0.1, 1e-3)):
        for seed in (0, 1):
            folder = tmp_path / f"js/{place}{seed}"
            write(folder, 1.0 + seed)
            (folder / "config.json").write_text(json.dumps({"optim": {"lr": rate}, "seed": seed}))
    found = read("js", variant=("optim.lr",), metric="error")
    assert value(found, "optim.lr=0.001", 1) == 2.0
    for rate in ("1e-3", "0.1"):
        for seed in (0, 1):
            write(tmp_path / f"named/{rate}-4_s{seed}", 1.0 + seed)
    assert value(read("json:named", pattern="{lr}-{depth}_s{seed}"), "lr=1e-3 depth=4", 1) == 2.0


def test_a_part_of_the_path_may_be_the_task(ablate: Callable[..., Any], tmp_path: Path) -> None:
    for task in ("digits", "cifar"):
        for variant in ("a", "b"):
            for seed in (0, 1):
                write(tmp_path / f"js/{task}/{variant}/{seed}", 1.0 + seed)
    found = read("js", pattern="{task}/{variant}/{seed}")
    assert sorted(found.frame["task"].unique()) == ["cifar", "digits"]
    assert found.by == "variant"


def test_values_in_a_stated_unit_are_taken_as_they_are(ablate: Callable[..., Any], tmp_path: Path) -> None:
    rows = [f"{v},{s},{x + 0.001 * s}" for v, x in (("a", 0.91), ("b", 92.0)) for s in range(3)]
    (tmp_path / "runs.csv").write_text("variant,seed,value\n" + "\n".join(rows) + "\n")
    ended = ablate("analyse", "runs.csv", "--baseline", "a", "--unit", "%")
    assert ended.status == 0, ended.err
    assert "value (%)" in ended.out


@pytest.mark.parametrize(
    "rows",
    [
        [("a", 0.05), ("b", 5.0)],  # a loss that one variant does not bring down
        [("a", 0.9), ("b", 1.1)],
        [("a", 0.0), ("b", 100.0)],
        [("a", 0.9), ("b", 0.91)],
    ],
)
def test_values_that_only_differ_are_no_mixed_units(
    ablate: Callable[..., Any], tmp_path: Path, rows: list[tuple[str, float]]
) -> None:
    text = "".join(f"{name},{seed},{level + 0.001 * seed}\n" for name, level in rows for seed in range(3))
    (tmp_path / "runs.csv").write_text(f"variant,seed,value\n{text}")
    assert len(read("runs.csv").frame) == 6


def test_an_infinite_value_of_a_table_is_that_of_a_failed_run(
    ablate: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "runs.csv").write_text("variant,seed,value\na,0,1\na,1,inf\nb,0,2\nb,1,-Infinity\n")
    found = read("runs.csv")
    assert found.frame["value"].isna().tolist() == [False, True, False, True]
    assert said(found, "2 lines (diverged) count as failed: 3, 5.")


def test_an_export_of_wandb_tells_which_runs_finished(ablate: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text(
        "Name,State,lr,seed,error\nx,finished,0.1,0,1\ny,crashed,0.1,1,0.5\nz,finished,0.2,0,2\nw,running,0.2,1,\n"
    )
    found = read("runs.csv", **ASKED)
    assert math.isnan(value(found, "lr=0.1", 1))
    assert said(found, "1 line (crashed) counts as failed: 3.")
    assert said(found, "1 line (running) counts as failed: 5.")


def test_a_continued_run_of_tensorboard_goes_on_where_it_was_and_parts_have_names(
    ablate: Callable[..., Any], tmp_path: Path
) -> None:
    from torch.utils.tensorboard import SummaryWriter

    for variant in ("a", "b"):
        for part, values in (("first", [(0, 3.0), (1, 2.0), (2, 9.0)]), ("second", [(2, 1.0), (3, 0.5)])):
            with SummaryWriter(str(tmp_path / f"tb/{variant}/seed0"), filename_suffix=part) as writer:
                for step, number in values:
                    writer.add_scalar("error", number, step)
        with SummaryWriter(str(tmp_path / f"tb/{variant}/seed0/train")) as writer:
            writer.add_scalar("error", 7.0, 0)
    assert value(read("tb", metric="error", at="2", pattern="{variant}/seed{seed}"), "a", 0) == 1.0
    assert value(read("tb", metric="train/error", pattern="{variant}/seed{seed}"), "a", 0) == 7.0
