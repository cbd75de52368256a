"""Segmenters over trunks of ours: torchvision's networks bit for bit, dilation, and what cannot be dilated."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torchvision.models import segmentation

from senet_core import SEGMENTERS, SEVariant, UserError, build_segmenter
from senet_core.dense.dilation import dilate
from senet_core.dense.trunk import build_trunk


def batch(side: int = 64) -> torch.Tensor:
    return torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("name", "theirs"), [("fcn", segmentation.fcn_resnet50), ("deeplab-v3", segmentation.deeplabv3_resnet50)]
)
def test_a_plain_trunk_makes_torchvisions_segmenter(name: str, theirs: Callable[..., nn.Module]) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        published = theirs(weights=None, weights_backbone=None, num_classes=3).eval()
    ours = build_segmenter(name, "resnet50", num_classes=3).eval()
    state = {
        key.replace("backbone.", "backbone.body.network."): value
        for key, value in published.state_dict().items()
    }
    ours.load_state_dict(state)
    with torch.no_grad():
        assert torch.equal(published(batch())["out"], ours(batch())["out"])


@pytest.mark.parametrize("name", sorted(SEGMENTERS))
@pytest.mark.parametrize("backbone", ["resnet18", "resnet8", "mobilenet-v1"])
def test_every_segmenter_trains_on_small_images(name: str, backbone: str) -> None:
    model = build_segmenter(name, backbone, SEVariant(reduction=4), num_classes=3, seed=0)
    out = model(batch(32))["out"]
    assert out.shape == (2, 3, 32, 32)
    out.square().sum().backward()
    assert [n for n, p in model.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize(
    ("output_stride", "sides"), [(32, (32, 16, 8, 4)), (16, (32, 16, 8, 8)), (8, (32, 16, 16, 16))]
)
@pytest.mark.parametrize("backbone", ["resnet18", "resnet50-v1", "senet154"])
def test_the_last_stages_keep_the_resolution_that_is_asked_for(
    backbone: str, output_stride: int, sides: tuple[int, ...]
) -> None:
    with torch.device("meta"):
        trunk = build_trunk(backbone)
        dilate(trunk, output_stride)
        assert tuple(found.shape[-1] for found in trunk.eval()(torch.empty(1, 3, 128, 128)).values()) == sides


def test_a_trunk_that_strides_less_stays_as_it_is() -> None:
    trunk, same = build_trunk("resnet8", seed=0).eval(), build_trunk("resnet8", seed=0).eval()
    dilate(trunk, 8)
    with torch.no_grad():
        assert torch.equal(trunk(batch())["4"], same(batch())["4"])


@pytest.mark.parametrize(
    ("backbone", "given", "said"),
    [
        (
            "vgg16_bn",
            {},
            "'vgg16_bn' does not halve its maps in stage 5 by convolutions alone, so it cannot be dilated: give"
            " output_stride=16",
        ),
        ("shufflenet-v1-g3", {}, "does not halve its maps in stage 3 by convolutions alone"),
        ("resnet18", {"output_stride": 6}, "output_stride must be a power of 2, such as 8, got 6"),
        (
            "resnet18",
            {"num_classes": 1},
            "num_classes, with the background, must be a whole number of at least 2",
        ),
        ("resnet18", {"name": "deeplab"}, "unknown segmenter 'deeplab'; did you mean 'deeplab-v3'?"),
    ],
)
def test_what_cannot_be_built_is_refused(backbone: str, given: dict[str, object], said: str) -> None:
    with pytest.raises(UserError) as caught:
        build_segmenter(**{"name": "fcn", "backbone": backbone, **given})  # type: ignore[arg-type]
    assert said in str(caught.value)
