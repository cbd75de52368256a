"""Dropout before the classifier of a finished network."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from senet_core.errors import UserError
from senet_core.training.classifier import classifier_of


class _Dropped:
    """What is called before the classifier; a hook, so that names of the state dict are kept."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def __call__(self, classifier: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        features, *rest = inputs
        return F.dropout(features, self.rate, training=classifier.training), *rest


def add_dropout(model: nn.Module, rate: float) -> nn.Module:
    """Leave features before the classifier out at random in training; return the network.

    Args:
        model: a network, with or without SE blocks.
        rate: share that is left out, at least 0 and below 1.

    Raises:
        UserError: the network has no linear classifier, or dropout of its own.

    Source: Srivastava et al. 2014, Journal of Machine Learning Research 15, p. 1929.
    """
    _, classifier = classifier_of(model)
    if any(isinstance(layer, nn.Dropout) and layer.p > 0 for layer in model.modules()):
        raise UserError("it has dropout of its own, in its definition")
    classifier.register_forward_pre_hook(_Dropped(rate))
    return model
