"""Studies of detection and segmentation: what is refused in one line, and what their trials' keys are made of."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from drawn import DETECTION, SEGMENTATION, DrawnHome, changed

from ablations.errors import StudyError, ToolMissing
from senet_core.errors import UserError


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"baseline__detector": "yolo"}, "unknown detector 'yolo'"),
        ({"baseline__backbone": "resnet19"}, "unknown backbone 'resnet19'"),
        ({"axes__variant": ["plane"]}, "a variant is 'plain', 'se'"),
        ({"axes__variant": ["se", "se:reduction=16"]}, "twice"),
        (
            {"axes__variant": ["se:reduction=4,stages=2+3+4+5", "plain"]},
            "are the same network, trained alike",
        ),
        ({"baseline__detector": None}, "baseline.detector is missing"),
        ({"baseline__backbone": "bn-inception"}, "backbone 'bn-inception' makes no feature pyramid"),
        ({"baseline__backbone": "preact-resnet20"}, "cannot be cut at the ends of its stages"),
        ({"experiment__data": None}, "experiment.data is missing"),
        ({"experiment__data": "shape"}, "experiment.data: there is no folder 'shape' in "),
        ({"experiment__test": "val"}, "there is no file of annotations"),
        ({"experiment__train": {"images": "train"}}, "experiment.train.annotations is missing"),
        ({"experiment__recipe__lr": 0}, "experiment.recipe.lr must be a number above 0, got 0"),
        (
            {"experiment__recipe__epoch": 1},
            "unknown field of experiment.recipe 'epoch'; did you mean 'epochs'?",
        ),
        (
            {"experiment__recipe__image_size": [64, 32]},
            "experiment.recipe.image_size must be pixels from 16, or",
        ),
        ({"experiment__recipe__batch_size": 9}, "batch_size 9 is more than the 8 training images"),
        (
            {"baseline__recipe.lr": 1, "axes__recipe.lr": [-1]},
            "factor 'recipe.lr': must be a number above 0, got -1",
        ),
        (
            {"experiment__weights": "coco"},
            "experiment.weights is imagenet, or a file for each 'BACKBONE VARIANT'",
        ),
        ({"experiment__weights": {"resnet18 se": "none.pth"}}, "there is no file or folder 'none.pth'"),
        ({"experiment__weights": {"resnet18 plain": "detection.yaml"}}, "names no file for 'resnet18 se:"),
        (
            {
                "design": "search",
                "search": {"validation_metric": "ap50", "trials": 4},
                "confirm": 2,
                "seeds": [],
                "axes__variant": ["plain", "se:reduction=8", "se:reduction=4"],
            },
            "experiments of kind 'detection' measure nothing on validation data, so that design 'search'",
        ),
        ({"experiment__keep": "yes"}, "experiment.keep must be true or false, got 'yes'"),
    ],
)
def test_what_cannot_be_run_is_refused(changes: dict[str, Any], said: str, home: DrawnHome) -> None:
    home.write("detection", changed(DETECTION, **changes))
    with pytest.raises(UserError) as caught:
        home.check("detection")
    assert said in " ".join(str(caught.value).split())


def test_a_backbone_that_cannot_be_dilated_is_refused(home: DrawnHome) -> None:
    home.write(
        "segmentation",
        changed(SEGMENTATION, baseline__backbone="vgg16_bn", experiment__recipe__output_stride=8),
    )
    with pytest.raises(
        StudyError, match="row 'baseline': backbone 'vgg16_bn' does not halve its maps in stage 5"
    ):
        home.check("segmentation")


def test_masks_need_outlines(home: DrawnHome, tmp_path: Any) -> None:
    import json
    import shutil

    shapes = home.data / "plain"
    shutil.copytree(home.data / "shapes", shapes)
    for split in ("train", "test"):
        file = shapes / f"annotations/instances_{split}.json"
        content = json.loads(file.read_text(encoding="utf-8"))
        for annotation in content["annotations"]:
            del annotation["segmentation"]
        file.write_text(json.dumps(content), encoding="utf-8")
    home.write("detection", changed(DETECTION, experiment__data="plain"))
    home.check("detection")
    home.write("detection", changed(DETECTION, experiment__data="plain", baseline__detector="mask-rcnn"))
    with pytest.raises(
        UserError, match=r"annotation 1 has no segmentation, which detector 'mask-rcnn' needs"
    ):
        home.check("detection")
    home.write("segmentation", changed(SEGMENTATION, experiment__data="plain"))
    with pytest.raises(UserError, match="which segmentation needs"):
        home.check("segmentation")


def test_a_missing_library_is_named(home: DrawnHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycocotools", None)
    with pytest.raises(ToolMissing, match=r"pip install 'senet-ablations\[detection\]'"):
        home.check("detection")


def test_a_default_that_is_said_changes_no_key(home: DrawnHome) -> None:
    def keys(**changes: Any) -> list[str]:
        home.write("detection", changed(DETECTION, **changes))
        return [trial.key for trial in home.design("detection").trials]

    usual = keys()
    assert keys(experiment__recipe__momentum=0.9) == usual
    assert keys(experiment__recipe__lr=0.02) != usual
    assert keys(experiment__data="./shapes") == usual
    assert keys(experiment__test="train") != usual


def test_recipes_are_factors_and_sizes_are_known_before(home: DrawnHome) -> None:
    home.write(
        "detection", changed(DETECTION, **{"baseline__recipe.lr": 0.01, "axes": {"recipe.lr": [0.01, 0.1]}})
    )
    found = home.design("detection")
    assert [row.label for row in found.rows] == ["baseline", "recipe.lr=0.1"]
    experiment = found.study.experiment
    assert experiment.whole_recipe({"recipe.lr": 0.1})["lr"] == 0.1  # type: ignore[attr-defined]
    plain = home.write("detection", DETECTION) and home.design("detection")
    sizes = {row.label: experiment.describe(row)["trunk_parameters"] for row in plain.rows}
    assert sizes["variant=plain"] < sizes["baseline"]
