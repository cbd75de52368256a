"""Frozen stages: neither weights nor statistics move, and what is fresh is trained all the same."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from senet_core import BACKBONES, SEVariant, build_model
from senet_core.backbones import find_backbone
from senet_core.errors import UserError
from senet_core.training.freezing import freeze, stay_frozen


def moved(model: nn.Module, frozen: tuple[nn.Module, ...]) -> set[str]:
    """Names of the state dict that a step changes."""
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.train()
    stay_frozen(frozen)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
    model(torch.randn(8, 3, 32, 32)).square().sum().backward()
    optimiser.step()
    return {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}


def frozen_names(name: str, numbers: list[int], variant: SEVariant | None = None) -> set[str]:
    model = build_model(name, variant, num_classes=4, seed=0)
    fresh = [key for key in model.state_dict() if ".se." in key]
    changed = moved(model, freeze(model, numbers, find_backbone(name).stages, fresh))
    return set(model.state_dict()) - changed


def test_a_stage_keeps_weights_and_statistics() -> None:
    kept = frozen_names("resnet8", [3])
    assert kept == {name for name in build_model("resnet8").state_dict() if name.startswith("layer2.")}


def test_the_stem_belongs_to_the_first_stage_and_the_classifier_to_none() -> None:
    kept = frozen_names("resnet8", [2, 3, 4])
    assert kept == {name for name in build_model("resnet8").state_dict() if not name.startswith("fc.")}


def test_what_stands_between_two_stages_belongs_to_the_second() -> None:
    with torch.device("meta"):
        model = build_model("inception-resnet-v2", num_classes=4)
    freeze(model, [4], find_backbone("inception-resnet-v2").stages)
    names = {name for name, p in model.named_parameters() if not p.requires_grad}
    assert {name.split(".")[0] for name in names} == {"mixed_6a", "repeat_1"}


def test_fresh_se_blocks_are_trained_in_a_frozen_stage() -> None:
    kept = frozen_names("resnet8", [2, 3], SEVariant(bias=True))
    assert kept
    assert not any(".se." in name for name in kept)


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_every_backbone_can_freeze_all_its_stages(name: str) -> None:
    for variant in (None, SEVariant()):
        with torch.device("meta"):
            model = build_model(name, variant, num_classes=4)
        stages = find_backbone(name).stages
        freeze(model, list(stages), stages)
        trained = {name for name, p in model.named_parameters() if p.requires_grad}
        assert 0 < len(trained) <= 8
        assert not any(name.startswith("conv1.") for name in trained)


def test_an_unknown_stage_is_refused() -> None:
    model = build_model("resnet8", num_classes=4)
    with pytest.raises(UserError, match="unknown stage 5; known: 2, 3, 4"):
        freeze(model, [2, 5], find_backbone("resnet8").stages)
