"""Dropout before the classifier: of every backbone that has none of its own, without new names."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from senet_core import BACKBONES, SEVariant, build_model
from senet_core.errors import UserError
from senet_core.training.classifier import classifier_of
from senet_core.training.dropout import add_dropout

OWN = ("senet154", "vgg16_bn")


@pytest.mark.parametrize("variant", [None, SEVariant(gate="bottleneck")], ids=["plain", "SE"])
@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_every_backbone_has_a_classifier_and_at_most_one_dropout(
    name: str, variant: SEVariant | None
) -> None:
    with torch.device("meta"):
        model = build_model(name, variant, num_classes=7)
    names = list(model.state_dict())
    assert classifier_of(model)[1].out_features == 7
    if name in OWN:
        with pytest.raises(UserError, match="it has dropout of its own"):
            add_dropout(model, 0.1)
    else:
        assert list(add_dropout(model, 0.1).state_dict()) == names


def test_features_are_left_out_in_training_only() -> None:
    model = build_model("resnet8", SEVariant(), num_classes=7, seed=0)
    plain, seen = copy.deepcopy(model), []
    add_dropout(model, 0.25)
    classifier_of(model)[1].register_forward_hook(lambda layer, given, out: seen.append(given[0]))
    x = torch.randn(64, 3, 8, 8)
    assert torch.equal(model.eval()(x), plain.eval()(x))
    kept = seen[0] > 0
    model.train()(x)
    assert ((seen[1] == 0) & kept).float().sum() / kept.float().sum() == pytest.approx(0.25, abs=0.05)
    assert torch.equal(copy.deepcopy(model).eval()(x), plain.eval()(x)) is False  # statistics moved
    assert torch.equal(copy.deepcopy(model).eval()(x), model.eval()(x))


def test_a_network_without_a_linear_layer_is_refused() -> None:
    with pytest.raises(UserError, match="no linear classifier"):
        add_dropout(nn.Conv2d(3, 7, 1), 0.1)
