"""Detectors over trunks of ours: torchvision's networks, the classifier's own features, refusals."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision.models import detection

from senet_core import DETECTORS, DetectorSize, SEVariant, UserError, build_detector, build_model
from senet_core.dense.trunk import Trunk, build_trunk

SMALL = DetectorSize(channels=8, samples=16)


def images(count: int = 2, side: int = 64) -> list[torch.Tensor]:
    return list(torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(0)))


def targets(count: int = 2, side: int = 64) -> list[dict[str, torch.Tensor]]:
    masks = torch.zeros(1, side, side, dtype=torch.uint8)
    masks[:, 10:40, 10:40] = 1
    box = torch.tensor([[10.0, 10.0, 40.0, 40.0]])
    return [{"boxes": box, "labels": torch.tensor([1]), "masks": masks} for _ in range(count)]


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("faster-rcnn", detection.fasterrcnn_resnet50_fpn),
        ("mask-rcnn", detection.maskrcnn_resnet50_fpn),
        ("retinanet", detection.retinanet_resnet50_fpn),
    ],
)
def test_a_plain_trunk_makes_torchvisions_detector(name: str, theirs: Callable[..., nn.Module]) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        published = theirs(
            weights=None, weights_backbone=None, num_classes=3, min_size=64, max_size=64
        ).eval()
    ours = build_detector(name, "resnet50", num_classes=3, image_size=64).eval()
    state = {
        key.replace("backbone.body.", "backbone.body.network."): value
        for key, value in published.state_dict().items()
    }
    ours.load_state_dict(state)
    if name == "retinanet":  # untrained, it is sure of nothing
        published.score_thresh = ours.score_thresh = 0.0  # type: ignore[assignment]
    with torch.no_grad():
        for expected, found in zip(published(images()), ours(images()), strict=True):
            assert expected.keys() == found.keys()
            for key in expected:
                assert torch.equal(expected[key], found[key]), key
    assert len(expected["boxes"]) > 0


@pytest.mark.parametrize("name", sorted(DETECTORS))
@pytest.mark.parametrize("backbone", ["resnet18", "resnet8", "mobilenet-v1", "shufflenet-v1-g3"])
def test_every_detector_trains_and_detects_on_small_images(name: str, backbone: str) -> None:
    model = build_detector(
        name, backbone, SEVariant(reduction=4), num_classes=2, image_size=32, size=SMALL, seed=0
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        losses = model(images(side=32), targets(side=32))
    sum(losses.values()).backward()
    idle = [n for n, p in model.named_parameters() if p.grad is None and ".network." in n]
    assert idle == []
    found = model.eval()(images(side=32))
    assert {"boxes", "labels", "scores"} <= found[0].keys()


@pytest.mark.parametrize(
    "backbone", ["resnet18", "resnet50-v1", "senet154", "vgg16_bn", "resnet20", "mobilenet-v1"]
)
@pytest.mark.parametrize("variant", [None, SEVariant()])
def test_the_maps_are_the_classifiers_own(backbone: str, variant: SEVariant | None) -> None:
    if backbone == "senet154" and variant is not None:
        pytest.skip("its plain network is large enough for one test")
    network = build_model(backbone, variant, num_classes=5, seed=3).eval()
    trunk = Trunk(copy.deepcopy(network), backbone).eval()
    own: dict[str, torch.Tensor] = {}
    for stage, path in trunk.ends.items():
        network.get_submodule(path).register_forward_hook(
            lambda m, i, o, s=stage: own.update({str(s): o.clone()})
        )
    with torch.no_grad():
        network(torch.stack(images()))
        found = trunk(torch.stack(images()))
    assert found.keys() == own.keys()
    for stage, expected in own.items():
        assert torch.equal(found[stage], expected)
        assert found[stage].shape[1] == trunk.channels[int(stage)]
        assert found[stage].shape[-1] * trunk.strides[int(stage)] == 64


@pytest.mark.parametrize(
    ("backbone", "strides"),
    [
        ("wide_resnet50_2", (4, 8, 16, 32)),
        ("resnext50_32x4d-v1", (4, 8, 16, 32)),
        ("shake-shake-26-2x32d", (1, 2, 4)),
        ("vgg16_bn", (1, 2, 4, 8, 16)),
        ("mobilenet-v1", (2, 4, 8, 16, 32)),
        ("shufflenet-v1-g3", (8, 16, 32)),
    ],
)
def test_the_families_are_cut_at_the_ends_of_their_stages(backbone: str, strides: tuple[int, ...]) -> None:
    with torch.device("meta"):
        assert tuple(build_trunk(backbone).strides.values()) == strides


def test_weights_of_a_classifier_start_the_trunk(tmp_path: Path) -> None:
    network = build_model("resnet18", SEVariant(), num_classes=7, seed=5)
    file = tmp_path / "classifier.pth"
    torch.save(network.state_dict(), file)
    detector = build_detector("retinanet", "resnet18", SEVariant(), num_classes=2, size=SMALL, weights=file)
    trunk = detector.get_submodule("backbone.body.network").state_dict()
    expected = {name: value for name, value in network.state_dict().items() if not name.startswith("fc.")}
    assert trunk.keys() == expected.keys()
    assert all(torch.equal(trunk[name], value) for name, value in expected.items())


def test_one_seed_is_one_detector_but_for_the_blocks() -> None:
    plain = build_detector("faster-rcnn", "resnet18", num_classes=2, size=SMALL, seed=1).state_dict()
    gated = build_detector(
        "faster-rcnn", "resnet18", SEVariant(), num_classes=2, size=SMALL, seed=1
    ).state_dict()
    other = build_detector("faster-rcnn", "resnet18", num_classes=2, size=SMALL, seed=2).state_dict()
    assert all(torch.equal(value, gated[name]) for name, value in plain.items())
    assert all(".se." in name for name in gated.keys() - plain.keys())
    assert not torch.equal(plain["rpn.head.cls_logits.weight"], other["rpn.head.cls_logits.weight"])


def test_a_copy_of_a_trunk_keeps_its_maps_to_itself() -> None:
    trunk = build_trunk("resnet8", seed=0).eval()
    twin = copy.deepcopy(trunk)
    with torch.no_grad():
        next(twin.parameters()).zero_()
        assert not torch.equal(trunk(torch.stack(images()))["4"], twin(torch.stack(images()))["4"])
    assert not any(layer._forward_hooks for layer in trunk.modules())


def test_frozen_norms_stay_as_they_are() -> None:
    trunk = build_trunk("resnet8", seed=0)
    trunk.freeze_norms()
    before = copy.deepcopy(trunk.state_dict())
    sum(found.sum() for found in trunk.train()(torch.stack(images())).values()).backward()
    norms = [layer for layer in trunk.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert norms
    assert all(layer.weight.grad is None for layer in norms)
    assert all(torch.equal(value, before[name]) for name, value in trunk.state_dict().items())


@pytest.mark.parametrize(
    ("backbone", "said"),
    [
        (
            "bn-inception",
            "makes no feature pyramid: of an image of 256 pixels the maps at the ends of its stages 3, 4, 5",
        ),
        (
            "preact-resnet20",
            "cannot be cut at the ends of its stages: its classifier reads the last of them through 'bn'",
        ),
        ("inception-resnet-v2", "through 'conv2d_7b'"),
        ("resnet19", "unknown backbone 'resnet19'"),
    ],
)
def test_backbones_that_cannot_be_cut_are_refused_by_name(backbone: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        build_detector("retinanet", backbone, size=SMALL)
    assert said in str(caught.value)
    assert backbone in str(caught.value)
    assert os.linesep not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "fast-rcnn"}, "unknown detector 'fast-rcnn'; did you mean 'faster-rcnn'?"),
        ({"num_classes": 1}, "num_classes, with the background, must be a whole number of at least 2, got 1"),
        (
            {"image_size": (64, 32)},
            r"image_size must be pixels, or (shorter, longer side at most), got (64, 32)",
        ),
        (
            {"size": DetectorSize(stages=(5, 4))},
            "stages of a pyramid are named once each and in order, got [5, 4]",
        ),
        ({"size": DetectorSize(stages=(7,))}, "unknown stage of resnet18 7"),
    ],
)
def test_wrong_arguments_are_one_line(given: dict[str, object], said: str) -> None:
    with pytest.raises(UserError) as caught:
        build_detector(**{"name": "retinanet", "backbone": "resnet18", **given})  # type: ignore[arg-type]
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"), [("channels", 4), ("anchor_scale", 0), ("samples", 0), ("proposals", 0)]
)
def test_sizes_out_of_range_are_refused(field: str, value: float) -> None:
    with pytest.raises(UserError, match=f"{field} must be .*got {value}"):
        DetectorSize(**{field: value})  # type: ignore[arg-type]
