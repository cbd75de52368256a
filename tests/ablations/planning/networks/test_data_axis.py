"""The axis `data`: every row on each data set, under the same keys as in a study of that data set alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ablations.planning.design import Design, design
from ablations.planning.networks.data_path import from_anywhere, moved
from ablations.planning.networks.study import NetworkStudy
from ablations.planning.study_file import load_study
from tests.ablations.planning.unfolding import labels, refusal

MakeStudy = Callable[..., NetworkStudy]
FOLDER = {"name": "image-folder", "path": "pics", "size": 16}


def keys(plan: Design) -> list[str]:
    return [trial.key for trial in plan.trials]


def test_every_row_is_on_each_data_set_and_is_compared_with_the_baseline_there(make_study: MakeStudy) -> None:
    plan = design(make_study(axes={"reduction": [2, 4], "data": ["cifar10", "digits"]}))
    assert labels(plan.rows) == [
        "SE r=4 on digits", "plain on digits", "SE r=2 on digits",
        "SE r=4 on cifar10", "plain on cifar10", "SE r=2 on cifar10",
    ]  # fmt: skip
    assert plan.pairs == (
        ("plain on digits", "SE r=4 on digits"), ("SE r=2 on digits", "SE r=4 on digits"),
        ("plain on cifar10", "SE r=4 on cifar10"), ("SE r=2 on cifar10", "SE r=4 on cifar10"),
    )  # fmt: skip
    assert [(axis, labels(rows)[1:]) for part in plan.tasks for axis, rows in part.families] == [
        ("reduction", ["SE r=2 on digits", "SE r=4 on digits"]),
        ("reduction", ["SE r=2 on cifar10", "SE r=4 on cifar10"]),
    ]
    assert plan.kind.comparisons(plan) == 4


def test_its_trials_are_those_of_a_study_for_each_data_set(make_study: MakeStudy) -> None:
    both = design(make_study(axes={"reduction": [2], "data": ["cifar10"]}))
    alone = [
        design(
            make_study(axes={"reduction": [2]}, baseline={**make_study().fields()["baseline"], "data": data})
        )
        for data in ("digits", "cifar10")
    ]
    assert set(keys(both)) == {key for plan in alone for key in keys(plan)}
    assert [keys(part) for part in both.tasks] == [keys(plan) for plan in alone]


@pytest.mark.parametrize(
    ("design_name", "axes", "rows"),
    [
        ("one-factor", {}, 2),
        ("grid", {"reduction": [2, 4], "squeeze": ["avg", "max"]}, 5),
        ("pairwise", {"reduction": [2, 4], "squeeze": ["avg", "max"], "excitation": ["sigmoid", "relu"]}, 5),
        ("leave-one-out", {"recipe.flip": [False], "recipe.nesterov": [False]}, 5),
        ("add-one", {"squeeze": ["max"], "recipe.nesterov": [False]}, 5),
        ("race", {"reduction": [2]}, 3),
    ],
)
def test_every_design_is_crossed_with_it(
    make_study: MakeStudy, design_name: str, axes: dict[str, Any], rows: int
) -> None:
    asked = {"design": design_name, "seeds": 6}
    alone = design(make_study(axes=axes, **asked))
    both = design(make_study(axes={**axes, "data": ["cifar10"]}, **asked))
    assert len(alone.rows) == rows
    assert [len(part.rows) for part in both.tasks] == [rows, rows]
    assert labels(both.rows) == [
        f"{label} on {on}" for on in ("digits", "cifar10") for label in labels(alone.rows)
    ]


def test_two_parts_of_one_data_set_have_names_of_their_own(make_study: MakeStudy) -> None:
    fewer = [
        {"name": "digits", "train_images": 100},
        {"name": "digits", "train_images": 100, "test_images": 50},
    ]
    small = {"base": "cifar-quick", "epochs": 1, "batch_size": 32}
    plan = design(make_study(axes={"data": [fewer[0]]}, recipe=small))
    assert [part.baseline.task for part in plan.tasks] == ["digits whole", "digits 100"]
    plan = design(make_study(axes={"data": fewer}, recipe=small))
    assert [part.baseline.task for part in plan.tasks][1:] == [
        "digits, 100 training images", "digits, 100 training images, 50 test images",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "changes", "message"),
    [
        (["cifar11"], {}, "axis 'data': unknown data set 'cifar11'; did you mean 'cifar10'? known: "),
        (["cifar10", {"name": "cifar10"}], {}, "axis 'data' has the value 'cifar10' twice"),
        ([7], {}, "axis 'data': it must be a mapping of fields, got 7"),
        ([{"name": "cifar10", "images": 5}], {}, "axis 'data': unknown field 'images'; "),
        ([FOLDER | {"size": 4}], {}, "axis 'data': size must be at least 8, got 4"),
    ],
)
def test_what_is_no_data_set_is_refused(
    make_study: MakeStudy, values: list[Any], changes: dict[str, Any], message: str
) -> None:
    assert refusal(make_study(axes={"data": values}, **changes)).startswith(f"study 'small': {message}")


def test_a_batch_that_one_of_them_cannot_fill_is_refused_with_its_row(make_study: MakeStudy) -> None:
    few = {"name": "digits", "train_images": 100}
    study = make_study(axes={"data": [few]}, recipe={"base": "cifar-quick", "epochs": 1, "batch_size": 200})
    assert "row 'SE r=4 on digits 100': batch_size is 200, and there are 100 training images" in refusal(
        study
    )


def test_a_search_is_of_one_data_set(make_study: MakeStudy) -> None:
    search = {"objectives": ["validation_error"], "trials": 4, "validation_images": 50}
    with pytest.raises(Exception, match="a search looks for networks on one data set"):
        make_study(
            design="search", search=search, seeds=[], confirm=2, axes={"reduction": [2], "data": ["cifar10"]}
        )


def test_the_folder_of_images_is_found_and_spelled_as_that_of_a_baseline(
    write_study: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_study(axes={"data": [FOLDER]})
    monkeypatch.chdir(tmp_path.parent)
    [_, there] = design(load_study(file)).tasks
    assert there.baseline.task == "pics"
    assert there.baseline.data.images == str(tmp_path / "pics")
    alone = write_study(
        "alone.yaml", baseline={"backbone": "resnet8", "variant": {"reduction": 4}, "data": FOLDER}
    )
    assert keys(there)[:2] == keys(design(load_study(alone)))[:2]


def test_a_folder_on_the_command_line_is_relative_to_the_working_folder(
    write_study: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    typed = "axes.data=[{name: image-folder, path: pics, size: 16}, cifar10]"
    [there] = from_anywhere(typed)
    assert there == f"axes.data=[{{name: image-folder, path: {tmp_path}/pics, size: 16}}, cifar10]"
    assert from_anywhere("axes={data: [cifar10]}") == ("axes={data: [cifar10]}",)
    plans = [design(load_study(write_study(), overrides=[text])) for text in (typed, there)]
    assert keys(plans[0]) == keys(plans[1])
    assert plans[0].tasks[1].baseline.data.images == str(tmp_path / "pics")
    assert moved(there, str(tmp_path), "/elsewhere") == there.replace(str(tmp_path), os.sep + "elsewhere")


def test_rows_of_one_data_set_may_be_asked_for_alone(make_study: MakeStudy) -> None:
    plan = design(make_study(axes={"reduction": [2], "data": ["cifar10"]}))
    only = plan.only(["SE r=2 on cifar10"])
    assert labels(only.rows) == ["SE r=2 on cifar10"]
    assert only.pairs == (("SE r=2 on cifar10", "SE r=4 on cifar10"),)
