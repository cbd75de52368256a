"""Published blocks by name: each can be built, is told by its name, and keeps its place."""

from __future__ import annotations

import pytest
import torch

from senet_core import PAPER_SE, SEVariant, UserError, build_model, parse_variant
from senet_core.fingerprint import fingerprint
from senet_core.variants.label import variant_label
from senet_core.variants.published import PUBLISHED, published_in
from senet_core.variants.text import block_text, variant_at

R4 = SEVariant(reduction=4)


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_block_is_built_and_told_by_its_name(name: str) -> None:
    block = PUBLISHED[name]
    variant = block.of(R4)
    assert published_in(variant) is block
    assert block_text(variant) == name
    assert variant_label(variant).startswith(block.label)
    assert parse_variant(str(variant)) == variant
    with torch.no_grad():
        logits = build_model("resnet8", variant, num_classes=10, seed=0).eval()(torch.randn(2, 3, 32, 32))
    assert logits.isfinite().all()


@pytest.mark.slow
def test_no_two_of_them_are_one_network() -> None:
    found = {
        name: fingerprint("resnet8", PUBLISHED[name].of(R4), image_shape=(3, 32, 32)) for name in PUBLISHED
    }
    found["se"] = fingerprint("resnet8", R4, image_shape=(3, 32, 32))
    assert len({(mark.function, mark.training) for mark in found.values()}) == len(found)


def test_a_block_keeps_reduction_and_place_of_what_it_replaces() -> None:
    start = SEVariant(reduction=4, stages=(2, 3), squeeze="max", bias=True)
    assert variant_at(start, "eca") == SEVariant(reduction=4, stages=(2, 3), gate="eca")
    assert variant_at(start, "se") == SEVariant(reduction=4, stages=(2, 3))
    assert variant_at(start, {"gate": "identity", "stages": [4]}) == SEVariant(
        reduction=4, stages=(4,), gate="identity"
    )


@pytest.mark.parametrize(
    ("variant", "label"),
    [
        (SEVariant(gate="eca"), "ECA"),
        (SEVariant(gate="eca", reduction=4), "ECA"),
        (SEVariant(gate="eca", integration="pre", stages=(2,)), "ECA pre stage 2"),
        (SEVariant(block="cbam", reduction=4), "CBAM r=4"),
        (SEVariant(block="bam", integration="post", units="last"), "BAM"),
        (SEVariant(squeeze="max"), "SE max"),
    ],
)
def test_tables_call_it_by_its_name(variant: SEVariant, label: str) -> None:
    assert variant_label(variant) == label


@pytest.mark.parametrize("value", ["ecaa", "plain", None, 4])
def test_what_is_no_block_is_refused(value: object) -> None:
    with pytest.raises(UserError) as caught:
        variant_at(PAPER_SE, value)
    assert "a block is the name of a published one (se, ese, eca, " in str(caught.value)


def test_a_name_that_is_nearly_one_is_said() -> None:
    with pytest.raises(UserError) as caught:
        parse_variant("cbm")
    assert str(caught.value).endswith("or the name of a published block, got 'cbm'; did you mean 'cbam'?")
