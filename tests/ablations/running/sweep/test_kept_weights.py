"""A study that keeps weights records no trial without them, whatever happens in between; and they are those tested."""

from __future__ import annotations

import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small import DATA, small_study
from sweeping import Sweeps

import ablations as ab
from ablations.analysis.results.results import Results
from ablations.analysis.results.status import study_status
from ablations.planning.design import design as unfolded
from ablations.planning.networks.row import network_row
from ablations.running.data import open_prepared
from ablations.running.machine import durable
from ablations.running.machine.kernels import Kernels
from ablations.running.record import study_record
from ablations.running.record import weights as files
from ablations.running.record.study_record import StudyRecord
from ablations.running.sweep.reproduce import reproduce
from ablations.running.training.building import changed
from ablations.running.training.evaluation import evaluate
from ablations.running.training.pretrained import keep_weights
from senet_core.model import build_model
from senet_core.variants.text import parse_variant

KEEPS: dict[str, Any] = {"axes": {}, "seeds": 1, "keep_weights": True}
"""Fields of a study of two trials."""


def check(record: StudyRecord, folder: Path) -> None:
    """Each finished trial has its weights, undamaged, and no file is nobody's."""
    expected = {files.weights_file(folder, line) for line in record.finished.values()}
    for line in record.finished.values():
        files.read_weights(folder, line)
    assert set((folder / files.FOLDER).iterdir()) == expected


RECIPES = {
    "plain recipe": {},
    "average, dropout, stochastic depth": {"ema": 0.9, "dropout": 0.2, "stochastic_depth": 0.3},
    "bf16": {"precision": "bf16"},
}


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_loaded_network_gives_the_recorded_outcomes_bit_for_bit(sweeps: Sweeps, recipe: str) -> None:
    recipe_of = {**small_study().study.fields()["recipe"], **RECIPES[recipe]}
    design = small_study(**KEEPS, recipe=recipe_of)
    record = sweeps.sweep(design).record
    check(record, sweeps.paths(design).results)
    data = open_prepared(DATA, sweeps.data_dir)
    for row in design.rows:
        line = record.finished[row.trial(0).key]
        assert line.result is not None
        network = ab.load_network(design.study, row.label, 0, results_dir=sweeps.results)
        assert not network.training
        assert {value.dtype for value in network.state_dict().values()} == {torch.float32, torch.int64}
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        precision, cpu = line.environment["precision"], torch.device("cpu")
        assert evaluate(network, data, cpu, precision)[2] == pytest.approx(line.result.test_loss, rel=1e-4)
        # in the same order of sums as it was tested: by the same kernels, with branches that could be left out
        Kernels.from_record(line.environment).install(network)
        changed(network, "resnet8", network_row(row).recipe)
        top1, top5, loss, right = evaluate(network, data, cpu, precision)
        recorded = line.result.values
        assert (top1, top5, loss) == tuple(
            recorded[name] for name in ("top1_error", "top5_error", "test_loss")
        )
        known = record.outcomes(line.key)
        assert known is not None
        assert np.array_equal(right, known)


def test_the_file_says_what_it_is_and_senet_core_builds_its_network(sweeps: Sweeps) -> None:
    from safetensors import safe_open

    design = small_study(**KEEPS)
    record = sweeps.sweep(design).record
    trial = next(trial for trial in design.trials if "variant" in trial.to_json() and trial.variant)
    line = record.finished[trial.key]
    path = files.weights_file(sweeps.paths(design).results, line)
    with safe_open(str(path), framework="pt") as file:
        about = file.metadata()
    assert about["key"] == trial.key
    assert (about["backbone"], about["data"], about["num_classes"], about["in_channels"]) == (
        "resnet8",
        "digits",
        "10",
        "1",
    )
    data = open_prepared(DATA, sweeps.data_dir)
    told = {name: tuple(json.loads(about[name])) for name in ("classes", "mean", "std")}
    assert told == {"classes": data.classes, "mean": data.mean, "std": data.std}
    assert about["commit"] == line.environment["commit"]
    network = build_model(
        about["backbone"], parse_variant(about["variant"]), num_classes=10, in_channels=1, weights=path
    )
    by_key = ab.load_network(design.study, trial.key[:8], results_dir=sweeps.results)
    for name, value in network.state_dict().items():
        assert torch.equal(value, by_key.state_dict()[name])


def test_keeping_weights_changes_no_key_no_line_and_no_plan(sweeps: Sweeps) -> None:
    keeps, without = small_study(**KEEPS), small_study("without", **{**KEEPS, "keep_weights": False})
    assert [trial.key for trial in keeps.trials] == [trial.key for trial in without.trials]
    sweeps.sweep(without)
    (kept, other) = (sweeps.sweep(design).record.finished for design in (keeps, without))
    for key, line in other.items():
        assert line.result is not None
        assert "weights" not in line.to_line().replace("weights_sha256", "")
        assert kept[key].result.proof == line.result.proof  # type: ignore[union-attr]
    assert not sweeps.paths(without).weights.exists()


def test_turning_it_on_leaves_what_is_recorded(sweeps: Sweeps) -> None:
    sweeps.sweep(small_study(**{**KEEPS, "keep_weights": False}))
    design = small_study(**KEEPS)
    assert sweeps.sweep(design).trained == 0
    with pytest.raises(ab.RecordError, match=r"has no weights in .*: they were not kept, or were removed"):
        ab.load_network(design.study, "plain", 0, results_dir=sweeps.results)


@pytest.mark.parametrize("before", ["the line", "the outcomes", "the weights"])
def test_a_sweep_killed_around_its_files_is_repeated_with_the_same_bits(
    sweeps: Sweeps, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    design = small_study(**KEEPS)
    folder, real = sweeps.paths(design).results, study_record.write_kept

    def killed(*given: Any) -> None:
        raise SystemExit  # as by SIGKILL, nothing of the sweep's own follows

    def killed_at(path: Path, content: bytes) -> None:
        real(path, content) if before != f"the {path.parent.name}" else killed()

    with monkeypatch.context() as patch:
        if before == "the line":
            patch.setattr("ablations.running.record.trial_file.append_durably", killed)
        patch.setattr(study_record, "write_kept", killed_at)
        with pytest.raises(SystemExit):
            sweeps.sweep(design)
    assert not (folder / "trials.jsonl").exists()
    record = sweeps.sweep(design).record
    assert len(record.finished) == 2
    check(record, folder)


def test_a_full_disk_fails_the_trial_and_the_next_sweep_tries_it_again(
    sweeps: Sweeps, monkeypatch: pytest.MonkeyPatch
) -> None:
    design = small_study(**KEEPS)
    folder, real = sweeps.paths(design).results, durable.replacing

    def full(path: Path) -> Any:
        if path.suffix == files.SUFFIX:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(durable, "replacing", full)
        outcome = sweeps.sweep(design)
    assert (outcome.trained, outcome.failed) == (0, 2)
    for line in outcome.record.trials.lines:
        assert line.failure is not None
        assert line.failure.kind == "disk"
        assert "cannot write the weights" in line.failure.message
    outcome = sweeps.sweep(design)
    assert (outcome.trained, outcome.failed) == (2, 0)
    check(outcome.record, folder)


def _changed(change: Any) -> Any:
    return lambda outcome: replace(outcome, weights=change(outcome.weights))


CHANGES = {
    "not there": _changed(lambda content: None),
    "cut off": _changed(lambda content: content[:-1]),
    "a bit flipped": _changed(lambda content: content[:-1] + bytes([content[-1] ^ 1])),
    "another's": _changed(lambda content: content.replace(b'"key": "', b'"key": "f')),
    "of other types": _changed(lambda content: content.replace(b'"F32"', b'"I32"')),
    "of another variant": _changed(lambda content: content.replace(b"resnet8", b"resnet9")),
    "no file of weights": _changed(lambda content: b"{}"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_weights_that_an_executor_damages_fail_their_trial(sweeps: Sweeps, change: str) -> None:
    design = small_study(**KEEPS)
    sweeps.change = CHANGES[change]
    outcome = sweeps.sweep(design)
    assert (outcome.trained, outcome.failed) == (0, 2)
    for line in outcome.record.trials.lines:
        assert line.failure is not None
        assert line.failure.message.startswith("the weights of the trial did not come back whole: ")
    assert not sweeps.paths(design).weights.exists()


def test_another_study_takes_the_weights_with_the_trials_if_it_keeps_them(sweeps: Sweeps) -> None:
    sweeps.sweep(small_study(**KEEPS))
    keeps, other = small_study("keeps", **KEEPS), small_study("other", **{**KEEPS, "keep_weights": False})
    for design in (keeps, other):
        record = sweeps.sweep(design).record
        assert {line.shared_from for line in record.finished.values()} == {"small"}
    assert len(sweeps.trained) == 2
    check(sweeps.paths(keeps).open_record(), sweeps.paths(keeps).results)
    assert not sweeps.paths(other).weights.exists()


@pytest.mark.parametrize("damaged", [False, True])
def test_a_trial_that_another_study_has_without_whole_weights_is_trained_again(
    sweeps: Sweeps, damaged: bool
) -> None:
    first = small_study(**{**KEEPS, "keep_weights": damaged})
    sweeps.sweep(first)
    for path in sweeps.paths(first).weights.glob("*"):
        os.truncate(path, path.stat().st_size - 4)
    design = small_study("keeps", **KEEPS)
    record = sweeps.sweep(design).record
    assert len(sweeps.trained) == 4
    check(record, sweeps.paths(design).results)


def test_a_fresh_start_sets_the_weights_aside(sweeps: Sweeps) -> None:
    design = small_study(**KEEPS)
    sweeps.sweep(design)
    record = sweeps.sweep(design, fresh=True).record
    folder = sweeps.paths(design).results
    check(record, folder)
    [aside] = folder.glob("weights.before-*")
    assert len(list(aside.iterdir())) == 2


def test_what_cannot_be_loaded_is_said_in_a_line(sweeps: Sweeps) -> None:
    design = small_study(**KEEPS)
    record = sweeps.sweep(design).record
    load = lambda *given: ab.load_network(design.study, *given, results_dir=sweeps.results)  # noqa: E731
    with pytest.raises(ab.UserError, match=r"^unknown row 'plian'; did you mean 'plain'"):
        load("plian", 0)
    with pytest.raises(
        ab.UserError, match=r"^row 'plain' of study 'small' has no finished trial with seed 7; it has 0$"
    ):
        load("plain", 7)
    with pytest.raises(
        ab.UserError, match=r"^no finished trial of study 'small' has the key 'zz'; give a row"
    ):
        load("zz")
    line = record.finished[design.trials[0].key]
    path = files.weights_file(sweeps.paths(design).results, line)
    assert path is not None
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(ab.RecordError, match=f"^the weights {path} are damaged: .*; put that file back"):
        load(line.key)


def test_a_trial_that_takes_part_in_a_choice_has_its_weights_too(sweeps: Sweeps) -> None:
    data = {"name": "digits", "train_images": 80, "validation_images": 40}
    design = small_study(**KEEPS, baseline={"backbone": "resnet8", "data": data})
    check(sweeps.sweep(design).record, sweeps.paths(design).results)


def test_another_study_begins_with_the_weights_of_a_trial(sweeps: Sweeps) -> None:
    record = sweeps.sweep(small_study(**KEEPS)).record
    plain = next(key for key, line in record.finished.items() if line.trial["variant"] == "plain")
    begun = ab.load_study(
        small_study("second", axes={}, seeds=1).study,
        overrides={"recipe.weights": str(record.weights(plain))},
    )
    keep_weights([begun.recipe.weights], sweeps.data_dir)
    outcome = sweeps.sweep(unfolded(begun))
    assert (outcome.trained, outcome.failed) == (2, 0)


def test_weights_made_again_are_kept_if_they_are_the_same(
    sweeps: Sweeps, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Threads(ThreadPoolExecutor):
        """In place of a worker process, which takes seconds to start."""

        def __init__(self, size: int, **options: Any) -> None:
            super().__init__(size, initializer=partial(torch.set_num_threads, 1))

        kill = ThreadPoolExecutor.shutdown

    monkeypatch.setattr("ablations.running.sweep.reproduce.WorkerPool", Threads)
    design = small_study(**{**KEEPS, "keep_weights": False})
    record = sweeps.sweep(design).record
    status = lambda: study_status(Results(small_study(**KEEPS), record)).without_weights  # noqa: E731
    assert status() == tuple(trial.key for trial in design.trials)
    one, other = (record.finished[trial.key] for trial in design.trials)
    assert record.weights(one.key) is None
    again = reproduce(one, data_dir=sweeps.data_dir, weights=True)
    assert again.identical
    assert again.weights is not None
    before = sweeps.paths(design).record.read_bytes()
    with pytest.raises(
        ab.RecordError, match=rf"^the weights of trial {other.key} are not kept: it is of trial {one.key}$"
    ):
        record.keep_weights(other, again.weights)
    assert record.keep_weights(one, again.weights) == record.weights(one.key)
    files.read_weights(record.folder, one)
    assert sweeps.paths(design).record.read_bytes() == before
    assert status() == (other.key,)
    assert study_status(Results(design, record)).without_weights == ()
    assert reproduce(one, data_dir=sweeps.data_dir).weights is None
