"""Losses that a recipe may name. How they are computed is in `running`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from senet_core.errors import unknown

LOSSES = {
    "cross_entropy": "of the softmax over classes",
    "bce": "binary cross-entropy of each class by itself, summed over classes: Beyer et al. 2020, arXiv:2006.07159, "
    "and Wightman et al. 2021, arXiv:2110.00476, who take the mean over classes",
    "focal": "cross-entropy in which what is known well counts less: Lin et al. 2017, arXiv:1708.02002, equation 4, "
    "over the softmax",
}
"""By the name that a recipe gives: what it is, and its source."""

FOCAL_GAMMA = 2.0
"""The exponent of the focal loss where a recipe does not say it, the one that its authors found best."""


def _known(name: str) -> str:
    if name not in LOSSES:
        raise unknown("loss", name, LOSSES)
    return name


LossName = Annotated[str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(LOSSES)})]
