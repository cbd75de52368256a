"""A sweep whose data are replaced or damaged ends, and records nothing of them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open
from safetensors.torch import save_file
from small import DATA, Watcher, of_digits, one_thread, small_study

from ablations.errors import DataError, RecordError
from ablations.running.data import ensure_prepared, open_prepared, prepared
from ablations.running.executors.process_pool import WorkerPool
from ablations.running.record.study_paths import StudyPaths
from ablations.running.sweep import dispatch
from ablations.running.sweep.reproduce import reproduce
from ablations.running.sweep.sweep import sweep
from ablations.running.sweep.values import Settings, SweepOutcome
from ablations.running.training import attempt
from ablations.running.trials.task import Task
from ablations.running.trials.worker import run_task


class Place:
    """A study of two trials, its record and its data."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        self.design = small_study(axes={}, seeds=1)
        self.paths = StudyPaths(self.design.study.name, folder / "results", folder / "reports")
        opened = ensure_prepared(DATA, folder / "data")
        self.path, self.digest = opened.path, opened.digest
        self.right = self.path.read_bytes()

    def sweep(self, executor: Callable[[], Executor] = lambda: ThreadPoolExecutor(1)) -> SweepOutcome:
        settings = Settings(data_dir=self.folder / "data", inputs=of_digits(self.digest))
        return sweep(self.design, self.paths, settings, make_executor=executor, display=Watcher())

    def before_the_second(self, change: Callable[[], object]) -> None:
        begun: list[str] = []

        def run(task: Task) -> Any:
            begun.append(task.key)
            if len(begun) == 2:
                change()
            with one_thread():
                return run_task(task)

        self.monkeypatch.setattr(dispatch, "run_task", run)

    def goes_on(self) -> None:
        """Check that one trial is recorded, and that with the right file the other one follows."""
        lines = self.paths.open_record().trials.lines
        assert [line.data_digest for line in lines] == [self.digest]
        self.monkeypatch.undo()
        self.replace(self.right)
        with one_thread():
            assert self.sweep().trained == 1
        lines = self.paths.open_record().trials.lines
        assert [(line.status, line.data_digest) for line in lines] == [("finished", self.digest)] * 2

    def replace(self, content: bytes) -> None:
        new = self.path.with_name("new")
        new.write_bytes(content)
        os.replace(new, self.path)

    def flip(self, at: int) -> None:
        with self.path.open("r+b") as file:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 1]))

    def other_data(self) -> bytes:
        with safe_open(str(self.path), framework="pt") as handle:
            metadata = handle.metadata()
            tensors = {name: handle.get_tensor(name) for name in prepared.TENSORS}
        tensors["test_images"] = 255 - tensors["test_images"]
        arrays = [tensors[name].numpy() for name in prepared.TENSORS]
        metadata["digest"] = prepared.digest_of(json.loads(metadata["classes"]), arrays)
        save_file(tensors, str(self.folder / "other"), metadata)
        return (self.folder / "other").read_bytes()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, monkeypatch)


def test_data_replaced_between_two_trials_end_the_sweep(place: Place) -> None:
    other = place.other_data()
    place.before_the_second(lambda: place.replace(other))
    said = rf"holds other data now \(digest \w{{12}}; the record is of {place.digest[:12]}\).*same command goes on"
    with pytest.raises(DataError, match=said):
        place.sweep()
    place.goes_on()


@pytest.mark.parametrize("where", ["images", "mean"])
def test_a_flipped_byte_ends_the_sweep(place: Place, where: str) -> None:
    at = len(place.right) - 1 if where == "images" else place.right.index(b'"mean"') + len('"mean":"[4')
    place.before_the_second(lambda: place.flip(at))
    with pytest.raises(DataError, match=r"digits.safetensors is damaged .*prepare it again"):
        place.sweep()
    place.goes_on()


def test_a_flipped_byte_is_found_though_the_times_are_set_back(place: Place) -> None:
    before = os.stat(place.path)
    place.flip(len(place.right) - 1)
    os.utime(place.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(DataError, match="is damaged"):
        open_prepared(DATA, place.folder / "data")


def test_a_choosing_trial_is_refused_damaged_test_images_that_it_does_not_see(place: Place) -> None:
    with place.path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        begin = json.loads(file.read(length))["test_images"]["data_offsets"][0]
    place.flip(8 + length + begin)
    with pytest.raises(DataError, match="is damaged"):
        open_prepared(DATA.for_choosing(20), place.folder / "data")


def test_data_that_are_gone_end_the_sweep_and_fail_no_trial(place: Place) -> None:
    def drop() -> None:
        place.path.unlink()
        place.path.mkdir()

    place.before_the_second(drop)
    with pytest.raises(DataError, match="there is no prepared data set at"):
        place.sweep()
    place.path.rmdir()
    place.goes_on()


def test_data_changed_during_a_trial_leave_no_trace_of_it(place: Place) -> None:
    train = attempt.train
    begun: list[int] = []

    def changing(*args: Any, **options: Any) -> Any:
        begun.append(1)
        if len(begun) == 2:
            place.flip(len(place.right) - 1)
        return train(*args, **options)

    place.monkeypatch.setattr(attempt, "train", changing)
    with one_thread(), pytest.raises(DataError, match="is damaged"):
        place.sweep()
    assert not list(place.paths.checkpoints.glob("*"))
    place.goes_on()


def test_trials_that_end_at_the_same_moment_are_recorded(place: Place) -> None:
    class AtOnce(Executor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            from concurrent.futures import Future

            future: Future[Any] = Future()
            try:
                future.set_result(fn(*args, **kwargs))
            except Exception as error:
                future.set_exception(error)
            return future

    other = place.other_data()
    place.before_the_second(lambda: place.replace(other))
    with pytest.raises(DataError, match="holds other data now"):
        place.sweep(AtOnce)
    place.goes_on()


@pytest.mark.slow
def test_the_process_pool_passes_it_on(place: Place) -> None:
    place.replace(place.other_data())
    with pytest.raises(DataError, match="holds other data now"):
        place.sweep(lambda: WorkerPool(1))
    assert not place.paths.open_record().trials.lines


@pytest.mark.slow
def test_a_trial_is_not_reproduced_on_other_data(place: Place) -> None:
    with one_thread():
        place.sweep()
    [line, _] = place.paths.open_record().trials.lines
    place.replace(place.other_data())
    with pytest.raises(DataError, match="holds other data now"):
        reproduce(line, data_dir=place.folder / "data")


def test_a_pruned_trial_of_other_data_is_refused(place: Place) -> None:
    with one_thread():
        place.sweep()
    record = place.paths.open_record().trials
    kept = replace(record.lines[0], status="pruned", result=None, data_digest="d" * 64)
    shutil.rmtree(place.paths.results)
    place.paths.open_record().trials.append(kept)
    with pytest.raises(RecordError, match="recorded with other data"):
        place.sweep()
