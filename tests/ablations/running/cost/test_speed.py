"""Times are those of earlier trials with the same settings on the same machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.trial import NetworkTrial
from ablations.running.cost.earlier_trials import earlier_speeds
from ablations.running.cost.speed import (
    LATER_SPEED_FIELDS,
    ImageCounts,
    Speed,
    count_images,
    speed_key,
    spread,
)
from ablations.running.machine import kernels
from ablations.running.record.trial_file import FILE_NAME, TrialFile
from ablations.running.record.trial_record import EpochMetrics, TrialRecord, TrialResult
from tests.ablations.running.small import DATA, RECIPE, small_trial

HERE: Mapping[str, Any] = {"processor": "P", "cores": 2, "device": "cpu", "threads": 1, "source": "new"}
WHOLE = ImageCounts(1297, 500, 8)


def line(trial: NetworkTrial, seconds: float, **changes: Any) -> TrialRecord:
    result = TrialResult(10.0, None, 0.5, 0.5, 10.0, 1, 1, {}, seconds, 0.4, 1.0, "")
    record = TrialRecord(
        trial.key, "s", "finished", trial.to_json(), result, (EpochMetrics(1, 1, 1, 1, 1),), None, HERE, "d", "",
        "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:10+00:00",
    )  # fmt: skip
    return replace(record, **changes)


def speeds(folder: Path, *lines: TrialRecord) -> dict[str, Speed]:
    TrialFile(folder / "other" / FILE_NAME).append(*lines)
    return earlier_speeds([small_trial()], folder, HERE, WHOLE)


def test_an_earlier_trial_tells_the_time_of_a_longer_one(tmp_path: Path) -> None:
    [speed] = speeds(tmp_path, line(small_trial(), 6.4)).values()
    assert speed.source == "earlier trials"
    assert speed.train[0] == pytest.approx(6.4 / (2 * 2 * 32))  # two epochs of two batches of 32
    assert speed.rest == pytest.approx(10 - 6.4 - 0.4)
    longer = small_trial(epochs=20).recipe
    assert speed.seconds(longer, ImageCounts(80, 40, 8))[0] == pytest.approx(64 + 0.4)


@pytest.mark.parametrize(
    ("before", "precision", "computes_bf16", "here", "counts"),
    [
        (None, "fp32", False, False, True),  # a record from before there was a choice
        (None, "fp32", False, True, False),
        (True, "fp32", True, True, True),
        (None, "bf16", True, True, True),  # which makes no difference where the processor computes in bf16
        (False, "bf16", True, True, True),
        (False, "bf16", False, True, False),
        (True, "bf16", False, True, True),
    ],
)
def test_a_trial_counts_that_computed_its_convolutions_alike(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    before: bool | None,
    precision: str,
    computes_bf16: bool,
    here: bool,
    counts: bool,
) -> None:
    monkeypatch.setattr(kernels, "processor_computes_bf16", lambda: computes_bf16)
    said = {**HERE, "precision": precision, **({} if before is None else {"winograd": before})}
    TrialFile(tmp_path / "other" / FILE_NAME).append(line(small_trial(), 6.4, environment=said))
    found = earlier_speeds([small_trial()], tmp_path, {**HERE, "winograd": here}, WHOLE)
    assert bool(found) is counts


def test_small_images_take_less_of_the_time(tmp_path: Path) -> None:
    """Half of the steps at 8 of 12 pixels; a longer training of the kind needs as much more."""
    recipe = Recipe(epochs=2, batch_size=32, start_size=8, full_size_from=0.5)
    speed = Speed((0.01, 0.01, 0.01), 0.0, 0.0, "")
    whole = speed.seconds(Recipe(epochs=2, batch_size=32), ImageCounts(64, 0, 12))[0]
    share = (0.5 * (8 / 12) ** 2) + 0.5
    assert speed.seconds(recipe, ImageCounts(64, 0, 12))[0] == pytest.approx(share * whole)
    trial = replace(small_trial(), recipe=recipe)
    TrialFile(tmp_path / "other" / FILE_NAME).append(line(trial, 6.4))
    [known] = earlier_speeds([trial], tmp_path, HERE, ImageCounts(1297, 500, 12)).values()
    longer = recipe.model_copy(update={"epochs": 20.0})
    assert known.seconds(longer, ImageCounts(80, 0, 12))[0] == pytest.approx(64)
    assert speed_key(trial.to_json()) != speed_key(replace(trial, recipe=RECIPE).to_json())


def test_of_several_the_middle_and_its_range(tmp_path: Path) -> None:
    lines = [line(small_trial(seed=seed), seconds) for seed, seconds in enumerate((1.0, 2.0, 3.0, 4.0, 50.0))]
    [speed] = speeds(tmp_path, *lines).values()
    assert [each * 128 for each in speed.train] == pytest.approx([3, 2, 4])


@pytest.mark.parametrize("field", ["processor", "cores", "device", "threads"])
def test_another_machine_tells_nothing(tmp_path: Path, field: str) -> None:
    assert speeds(tmp_path, line(small_trial(), 1.0, environment={**HERE, field: "other"})) == {}


def test_trials_of_this_code_are_preferred(tmp_path: Path) -> None:
    old = line(small_trial(seed=1), 100.0, environment={**HERE, "source": "old"})
    [speed] = speeds(tmp_path, old, line(small_trial(), 1.28)).values()
    assert speed.train[0] == pytest.approx(0.01)
    [speed] = speeds(tmp_path / "alone", old).values()
    assert speed.train[0] == pytest.approx(100 / 128)


def test_unreadable_records_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / FILE_NAME).write_text("{\n", encoding="utf-8")
    strange = replace(line(small_trial(seed=5), 1.0), trial={"backbone": "resnet8"})
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / FILE_NAME).write_text(strange.to_line() + "\n", encoding="utf-8")
    assert len(speeds(tmp_path, line(small_trial(), 1.0))) == 1


def test_seed_length_and_rates_do_not_change_the_speed() -> None:
    same = speed_key(small_trial().to_json())
    assert speed_key(small_trial(seed=3, epochs=9, lr=0.2, weight_decay=0.1).to_json()) == same
    for change in ({"batch_size": 16}, {"flip": False}, {"precision": "bf16"}, {"cutout": 2}):
        assert speed_key(small_trial(**change).to_json()) != same
    assert speed_key(small_trial(None).to_json()) != same


def test_images_are_counted_without_the_data() -> None:
    whole = count_images(DATA, Path("nowhere"))
    assert whole == ImageCounts(1297, 500, 8)
    assert whole.subset(DATA.train_images, None) == ImageCounts(80, 500, 8)
    assert count_images(DataSpec(name="cifar10"), Path("nowhere")) == ImageCounts(50_000, 10_000, 32)
    assert count_images(DataSpec(name="image-folder", path="x", size=32), Path("nowhere")) is None
    few = DataSpec(name="image-folder", path="x", size=32, train_images=9, test_images=5)
    assert count_images(few, Path("nowhere")) == ImageCounts(9, 5, 32)


def test_spread() -> None:
    assert spread([3.0]) == (3.0, 3.0, 3.0)
    assert spread([1.0, 3.0]) == (2.0, 1.0, 3.0)
    assert spread([5.0, 1.0, 2.0, 3.0, 4.0]) == (3.0, 2.0, 4.0)


def test_what_takes_time_makes_another_kind_of_trial_and_what_came_later_keeps_the_old_keys() -> None:
    plain = speed_key(small_trial().to_json())
    assert not any(field in plain for field in LATER_SPEED_FIELDS)
    for changed in (
        {"optimizer": "adamw"},
        {"clip_norm": 1.0},
        {"loss": "bce"},
        {"randaugment": 2},
        {"ema": 0.9},
    ):
        assert speed_key(small_trial(**changed).to_json()) != plain
    assert speed_key(small_trial(restarts=1).to_json()) == plain
    assert speed_key(small_trial(mixup=0.1).to_json()) == speed_key(small_trial(mixup=0.2).to_json()) != plain
