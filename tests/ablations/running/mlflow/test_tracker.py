"""The MLflow experiment: what is written to it, and that it never stops a sweep."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.trial import NetworkTrial
from ablations.running.machine.holder import Holder
from ablations.running.mlflow.summaries import RowSummary
from ablations.running.mlflow.tracker import Tracker
from ablations.running.mlflow.values import epoch_step, final_metrics, finite_metrics, trial_parameters
from ablations.running.record.trial_file import TrialFile
from ablations.running.record.trial_record import EpochMetrics, Failure, TrialRecord, TrialResult
from senet_core.variants.variant import SEVariant

SE8 = SEVariant(reduction=8)
AXES = {"reduction": "8", "squeeze": "avg"}
ENVIRONMENT = {"commit": "abc1234", "host": "here", "device": "cpu", "torch": "2.6"}
HISTORY = (
    EpochMetrics(epoch=1, train_loss=2.0, train_error=70.0, lr=0.1, seconds=1.0),
    EpochMetrics(epoch=2, train_loss=1.5, train_error=50.0, lr=0.0, seconds=1.0),
)
RESULT = TrialResult(
    top1_error=12.5,
    top5_error=None,
    test_loss=0.4,
    train_loss=1.5,
    train_error=50.0,
    parameters=270_000,
    multiply_adds=41_000_000,
    bottleneck_widths={"2": 2, "3": 4, "4": 8},
    train_seconds=2.0,
    test_seconds=0.1,
    peak_memory_mib=800.0,
    weights_sha256="ab" * 32,
)


@pytest.fixture
def tracker(results: Path) -> Tracker:
    return Tracker("reduction-ratio", None, results)


def trial(seed: int = 0, variant: SEVariant | None = SE8) -> NetworkTrial:
    return NetworkTrial(
        "resnet20", variant, DataSpec(name="cifar10", train_images=1000), Recipe(epochs=2), seed
    )


def record(failure: Failure | None = None) -> TrialRecord:
    return TrialRecord(
        key=trial().key,
        study="reduction-ratio",
        status="finished" if failure is None else "failed",
        trial=trial().to_json(),
        result=RESULT if failure is None else None,
        history=HISTORY,
        failure=failure,
        environment=ENVIRONMENT,
        data_digest="0123456789abcdef" * 4,
        data_note="",
        started="2026-01-01T00:00:00+00:00",
        finished="2026-01-01T00:00:02+00:00",
    )


def open_trial(tracker: Tracker, seed: int = 0) -> str:
    return tracker.start_trial("SE r=8", AXES, trial(seed), ENVIRONMENT)


def run_of(tracker: Tracker, run_id: str) -> Any:
    return tracker._runs._client.get_run(run_id)


def test_a_trial_is_a_run_with_every_axis_as_a_parameter(tracker: Tracker) -> None:
    run = run_of(tracker, open_trial(tracker))
    assert run.info.run_name == "SE r=8 · seed 0"
    expected = {"backbone": "resnet20", "squeeze": "avg", "excitation": "sigmoid", "gate": "bottleneck"}
    expected |= {"reduction": "8", "stages": "all", "integration": "standard", "bias": "false", "seed": "0"}
    expected |= {"data": "cifar10", "data.train_images": "1000"}
    assert expected.items() <= run.data.params.items()
    assert {
        f"recipe.{name}" for name, value in Recipe(epochs=2).to_json().items() if value is not None
    } <= set(run.data.params)
    assert run.data.tags["senet.key"] == trial().key
    assert run.data.tags["senet.level"] == "trial"
    assert "senet.command" not in run.data.tags  # none is known
    assert run.data.tags["mlflow.source.git.commit"] == "abc1234"


def test_the_configuration_is_kept_as_a_file_that_reads_back(tracker: Tracker, results: Path) -> None:
    run_id = open_trial(tracker)
    kept = json.loads((results / "mlartifacts/reduction-ratio" / run_id / "artifacts/trial.json").read_text())
    assert NetworkTrial.from_json(kept["trial"]) == trial()
    assert kept["environment"] == ENVIRONMENT


def test_the_plain_network_has_no_value_on_the_variants_axes() -> None:
    parameters = trial_parameters(trial(variant=None), {"stages": "-"})
    assert {parameters[name] for name in ("squeeze", "excitation", "gate", "reduction", "bias")} == {"-"}
    assert parameters["backbone"] == "resnet20"


def test_epochs_become_steps(tracker: Tracker) -> None:
    run_id = open_trial(tracker)
    tracker.log_epochs(run_id, HISTORY)
    history = tracker._runs._client.get_metric_history(run_id, "train_error")
    assert [(point.step, point.value) for point in history] == [(1, 70.0), (2, 50.0)]


def test_a_finished_trial_has_its_result_its_widths_and_its_data(tracker: Tracker) -> None:
    run_id = open_trial(tracker)
    tracker.log_epochs(run_id, HISTORY)
    tracker.finish_trial(run_id, record())
    run = run_of(tracker, run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["top1_error"] == 12.5
    assert "top5_error" not in run.data.metrics
    assert run.data.params["width.stage3"] == "4"
    dataset = run.inputs.dataset_inputs[0].dataset
    assert (dataset.name, dataset.digest) == ("cifar10", "0123456789ab")
    assert len(tracker._runs._client.get_metric_history(run_id, "train_loss")) == 2  # not written again


def test_a_failed_trial_says_why(tracker: Tracker) -> None:
    run_id = open_trial(tracker)
    tracker.finish_trial(run_id, record(Failure("diverged", "the loss is not finite", epoch=3)))
    run = run_of(tracker, run_id)
    assert run.info.status == "FAILED"
    assert run.data.tags["senet.failure"] == "diverged: the loss is not finite (epoch 3)"


def test_a_stopped_trial_is_killed_with_a_reason(tracker: Tracker) -> None:
    run_id = open_trial(tracker)
    tracker.kill_trial(run_id, "interrupted")
    run = run_of(tracker, run_id)
    assert (run.info.status, run.data.tags["senet.stopped"]) == ("KILLED", "interrupted")


def test_runs_that_a_dead_sweep_left_open_are_closed_and_living_ones_are_not(results: Path) -> None:
    dead = Tracker("study", None, results)
    left, finished = open_trial(dead), open_trial(dead, seed=1)
    dead.finish_trial(finished, record())
    dead._runs._client.set_tag(left, "senet.sweep", _earlier())  # our number, an earlier process
    tracker = Tracker("study", None, results)
    mine = open_trial(tracker, seed=2)
    assert tracker.close_stale() == 1
    assert [run_of(tracker, run).info.status for run in (left, finished, mine)] == [
        "KILLED",
        "FINISHED",
        "RUNNING",
    ]


def test_in_a_shared_store_runs_of_another_machine_are_left_alone(results: Path) -> None:
    tracker = Tracker("study", f"sqlite:///{results}/mlflow.db", results)
    theirs, ours = open_trial(tracker), open_trial(tracker, seed=1)
    elsewhere = replace(Holder.this_process(), host="elsewhere").to_text()
    tracker._runs._client.set_tag(theirs, "senet.sweep", elsewhere)
    tracker._runs._client.set_tag(ours, "senet.sweep", _earlier())
    assert tracker.close_stale() == 1
    assert [run_of(tracker, run).info.status for run in (theirs, ours)] == ["RUNNING", "KILLED"]


def _earlier() -> str:
    """Name a process that had our number before us."""
    here = Holder.this_process()
    return replace(here, start=here.start + 1, token="an earlier one's").to_text()


@pytest.mark.parametrize("other", [{"namespace": "pid:[1]"}, {"host": "elsewhere"}, {"boot": "another"}])
def test_in_a_store_of_its_own_a_run_is_open_as_long_as_its_sweep_has_the_lease(
    results: Path, other: dict[str, str]
) -> None:
    """Whether a process of another container lives cannot be seen, and its number may be ours."""
    tracker = Tracker("study", None, results)
    owner = replace(Holder.this_process(), pid=2**30, token="theirs", **other)
    leased, left = open_trial(tracker), open_trial(tracker, seed=1)
    for run in (leased, left):
        tracker._runs._client.set_tag(run, "senet.sweep", owner.to_text())
    lease = results / "study" / "leases" / f"{run_of(tracker, leased).data.tags['senet.key']}.json"
    lease.parent.mkdir(parents=True)
    lease.write_text(owner.to_text(), encoding="utf-8")
    assert tracker.close_stale() == 1
    assert [run_of(tracker, run).info.status for run in (leased, left)] == ["RUNNING", "KILLED"]
    lease.write_text(Holder.this_process().to_text(), encoding="utf-8")  # taken over
    assert tracker.close_stale() == 1


def test_a_run_that_its_owner_ended_meanwhile_is_not_closed_again(results: Path) -> None:
    tracker = Tracker("study", None, results)
    run = open_trial(tracker)
    tracker.finish_trial(run, record())
    assert not tracker._runs.close_left_open(run, "dead")
    assert run_of(tracker, run).info.status == "FINISHED"


def test_summaries_are_one_run_for_each_row_and_are_replaced(tracker: Tracker) -> None:
    first = [
        RowSummary("SE", {"reduction": "16"}, {"mean": 9.0, "p": 0.5}),
        RowSummary("gone", {"reduction": "2"}, {}),
    ]
    tracker.write_summaries(first)
    kept = {run.info.run_name: run.info.run_id for run in tracker._runs.on_level("summary")}
    tracker.write_summaries(
        [RowSummary("SE", {"reduction": "16"}, {"mean": 8.0, "p": 0.4, "sd": float("nan")})]
    )
    (run,) = tracker._runs.on_level("summary")
    assert run.data.tags["verdict"] == ""
    tracker.write_summaries([RowSummary("SE", {"reduction": "16"}, {"mean": 8.0, "p": 0.4}, "worse")])
    (run,) = tracker._runs.on_level("summary")
    assert run.data.tags["verdict"] == "worse"
    assert run.info.run_id == kept["SE"]
    assert run.data.metrics == {"mean": 8.0, "p": 0.4}
    assert run.data.params == {"reduction": "16"}
    assert run.info.status == "FINISHED"


@pytest.mark.parametrize(
    "changed",
    [
        RowSummary("SE", {"reduction": "8"}, {"mean": 9.0, "p": 0.5}),
        RowSummary("SE", {"reduction": "16"}, {"mean": 9.0}),
    ],
    ids=["another parameter", "a metric less"],
)
def test_a_summary_that_cannot_be_updated_is_written_anew(tracker: Tracker, changed: RowSummary) -> None:
    tracker.write_summaries([RowSummary("SE", {"reduction": "16"}, {"mean": 9.0, "p": 0.5})])
    tracker.write_summaries([changed])
    (run,) = tracker._runs.on_level("summary")
    assert (run.data.params, run.data.metrics) == (changed.values, changed.metrics)
    assert tracker.first_failure is None


def test_drafts_of_a_report_are_not_attached(tracker: Tracker, results: Path, tmp_path: Path) -> None:
    """A process that was killed in the midst of a file left one, or another sweep writes it just now."""
    for name in ("report.md", ".report.md.0.draft", "figures/a.svg", "figures/.a.svg.0.draft"):
        (tmp_path / "report" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "report" / name).write_text("text")
    tracker.attach_report(tmp_path / "report")
    [kept] = (results / "mlartifacts").rglob("artifacts")
    found = sorted(path.relative_to(kept).as_posix() for path in kept.rglob("*") if path.is_file())
    assert found == ["figures/a.svg", "report.md"]


def test_the_report_is_attached_to_one_run(tracker: Tracker, results: Path, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    (folder / "plots").mkdir(parents=True)
    (folder / "report.md").write_text("first")
    tracker.attach_report(folder)
    (folder / "report.md").write_text("second")
    tracker.attach_report(folder, note="**What was found.**")
    (run,) = tracker._runs.on_level("report")
    experiment = tracker._runs._client.get_experiment(tracker._runs.experiment_id)
    said = {tags.get("mlflow.note.content") for tags in (run.data.tags, experiment.tags)}
    assert said == {"**What was found.**"}  # both pages show it
    (kept,) = (results / "mlartifacts").rglob("report.md")
    assert kept.read_text() == "second"
    assert run.info.status == "FINISHED"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None, "text", True])
def test_only_finite_numbers_are_metrics(value: object) -> None:
    assert finite_metrics({"x": value, "y": 1}) == {"y": 1.0}


def test_more_metrics_than_mlflow_takes_at_once_are_written_in_parts(tracker: Tracker) -> None:
    run_id = open_trial(tracker)
    tracker.log_epochs(run_id, [EpochMetrics(epoch, 1.0, 2.0, 0.1, 3.0) for epoch in range(600)])
    assert tracker.first_failure is None
    assert len(tracker._runs._client.get_metric_history(run_id, "seconds")) == 600


def test_an_experiment_deleted_during_the_sweep_stops_nothing(
    tracker: Tracker, caplog: pytest.LogCaptureFixture
) -> None:
    run_id = open_trial(tracker)
    tracker._runs._client.delete_experiment(tracker._runs.experiment_id)
    tracker.finish_trial(run_id, record())
    assert open_trial(tracker, seed=1) == ""
    assert "training and its record go on" in caplog.text


CALLS: dict[str, Callable[[Tracker], object]] = {
    "start": open_trial,
    "epochs": lambda tracker: tracker.log_epochs("run", HISTORY),
    "finish": lambda tracker: tracker.finish_trial("run", record()),
    "kill": lambda tracker: tracker.kill_trial("run", "interrupted"),
    "stale": lambda tracker: tracker.close_stale(),
    "summaries": lambda tracker: tracker.write_summaries([RowSummary("SE", {}, {"mean": 1.0})]),
    "report": lambda tracker: tracker.attach_report(Path("missing")),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_failing_store_never_raises_warns_once_and_lets_mlflow_rest(
    tracker: Tracker, call: Callable[[Tracker], object], caplog: pytest.LogCaptureFixture
) -> None:
    asked = []

    class Broken:
        def __getattr__(self, name: str) -> Any:
            asked.append(name)
            raise OSError("disk full\nwith details")

    tracker._opened = Broken()  # type: ignore[assignment]
    answers = [call(tracker) for _ in range(5)]
    assert answers[0] in ("", 0, None)
    assert len(asked) == 3
    assert (tracker.closed, tracker.missed, tracker.first_failure) == (True, 5, "disk full")
    (line,) = [entry.getMessage() for entry in caplog.records if entry.name == "ablations"]
    assert line.endswith("disk full; training and its record go on")


def test_a_trial_whose_run_could_not_be_opened_is_counted_and_skipped(tracker: Tracker) -> None:
    tracker.log_epochs("", HISTORY)
    tracker.finish_trial("", record())
    tracker.kill_trial("", "interrupted")
    assert (tracker.missed, tracker.first_failure) == (3, None)


def test_one_failure_does_not_let_mlflow_rest(tracker: Tracker) -> None:
    for _ in range(4):
        tracker.log_epochs("no such run", HISTORY)
        run_id = open_trial(tracker)
    assert run_id
    assert (tracker.closed, tracker.missed) == (False, 4)


def test_opening_the_experiment_prints_nothing(results: Path, capfd: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("mlflow").setLevel(logging.INFO)
    tracker = Tracker("study", None, results)
    tracker.finish_trial(open_trial(tracker), record())
    assert capfd.readouterr() == ("", "")


def test_what_the_last_epoch_has_is_not_logged_again() -> None:
    """Under the names of a proposal, too, whose error on validation images both have."""
    record = TrialFile.load(Path(__file__).parents[4] / "results" / "quick-recipe" / "trials.jsonl")
    for line in record.finished.values():
        epoch = finite_metrics(epoch_step(line.history[-1])[1])
        assert not epoch.keys() & final_metrics(line).keys()
        is_proposal = line.trial["data"].get("validation_images") is not None
        assert ("validation_error" in epoch, "top1_error" in final_metrics(line)) == (
            is_proposal,
            not is_proposal,
        )
