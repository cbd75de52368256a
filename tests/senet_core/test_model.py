"""build_model: variants of one seed share their backbone's weights, and nobody's random state is touched."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn

from senet_core import SLOTS, SEVariant, UserError, build_model, insert_se, measure_complexity, parse_variant
from senet_core.variants.text import VariantLike

VARIANTS = [
    *(
        SEVariant(**{"squeeze": "mean-std", slot: name} if name == "srm" else {slot: name}, reduction=8)  # type: ignore[arg-type]
        for slot, registry in SLOTS.items()
        for name in registry
    ),
    SEVariant(reduction=2),
    SEVariant(reduction={2: 2, 3: 4, 4: 8}),
    SEVariant(stages=(3,)),
    SEVariant(bias=True),
    SEVariant(squeeze="none", excitation="tanh", integration="conv3x3", reduction=1, bias=True),
]
"""Every registered name of every slot, and every other field."""


@lru_cache
def plain_weights(backbone: str, seed: int) -> dict[str, Tensor]:
    return dict(build_model(backbone, None, num_classes=10, seed=seed).state_dict())


def backbone_weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in model.state_dict().items() if ".se." not in name}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    assert list(first) == list(second)
    return all(torch.equal(tensor, second[name]) for name, tensor in first.items())


class TestOneSeed:
    @pytest.mark.parametrize("variant", VARIANTS, ids=str)
    def test_starts_every_variant_from_the_plain_networks_weights(self, variant: SEVariant) -> None:
        model = build_model("resnet14", variant, num_classes=10, seed=3)
        assert any(name.endswith(".se") for name, _ in model.named_modules())
        assert same(backbone_weights(model), plain_weights("resnet14", 3))

    @pytest.mark.parametrize("integration", SLOTS["integration"])
    def test_does_so_in_torchvisions_networks(self, integration: str) -> None:
        model = build_model("resnet18", SEVariant(integration=integration), num_classes=10, seed=3)
        assert same(backbone_weights(model), plain_weights("resnet18", 3))

    def test_gives_the_same_network_again_whatever_was_drawn_before(self) -> None:
        weights = []
        for before in (0, 1):
            torch.manual_seed(before)
            weights.append(dict(build_model("resnet8", SEVariant(), num_classes=10, seed=3).state_dict()))
        assert same(*weights)

    def test_gives_gates_of_one_shape_the_same_weights(self) -> None:
        """A gate's start does not depend on the squeeze, the excitation or the other stages."""
        one, other = (
            build_model("resnet8", variant, num_classes=10, seed=3).get_submodule("layer2.0.se").state_dict()
            for variant in (SEVariant(), SEVariant(squeeze="max", excitation="tanh", stages=(3,)))
        )
        assert same(dict(one), dict(other))


@pytest.mark.parametrize("variant", [None, SEVariant()], ids=str)
def test_seeds_differ(variant: SEVariant | None) -> None:
    first, second = (
        build_model("resnet8", variant, num_classes=10, seed=seed).state_dict() for seed in (0, 1)
    )
    drawn = [name for name, tensor in first.items() if tensor.dim() >= 2]
    assert len(drawn) == 8 + (6 if variant else 0)
    assert not any(torch.equal(first[name], second[name]) for name in drawn)


@pytest.mark.parametrize("seed", [0, 1, 2**40])
def test_a_seed_leaves_the_global_generator_as_it_was(seed: int) -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    build_model("resnet8", SEVariant(), num_classes=10, seed=seed)
    assert torch.equal(torch.get_rng_state(), before)


def test_without_a_seed_weights_come_from_the_global_generator() -> None:
    weights = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        weights.append(dict(build_model("resnet8", SEVariant(), num_classes=10).state_dict()))
    assert same(weights[0], weights[1])
    assert not same(weights[0], weights[2])


def test_plain_resnet50_is_torchvisions_by_name_and_bit_by_bit() -> None:
    torch.manual_seed(0)
    theirs = torchvision.models.resnet50().eval()
    ours = build_model("resnet50", None).eval()
    assert [(k, v.shape) for k, v in ours.state_dict().items()] == [
        (k, v.shape) for k, v in theirs.state_dict().items()
    ]
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(ours(images), theirs(images))


@pytest.mark.parametrize("variant", [None, *VARIANTS], ids=str)
def test_every_network_takes_odd_images_and_learns_in_every_parameter(variant: SEVariant | None) -> None:
    model = build_model("resnet8", variant, num_classes=7, in_channels=2, seed=0)
    logits = model(torch.randn(3, 2, 9, 7, generator=torch.Generator().manual_seed(0)))
    assert logits.shape == (3, 7)
    logits.pow(2).sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_one_image_of_one_pixel_is_enough_to_test() -> None:
    model = build_model("resnet8", SEVariant(), num_classes=10, seed=0).eval()
    assert model(torch.randn(1, 3, 1, 1)).shape == (1, 10)


@pytest.mark.parametrize(
    ("backbone", "variant", "message"),
    [
        ("resnt20", None, "unknown backbone 'resnt20'; did you mean 'resnet20'?"),
        ("resnet21", None, "unknown backbone 'resnet21'; did you mean 'resnet20'?"),
        ("resnet6", None, "unknown backbone 'resnet6'; did you mean 'resnet8'?"),
        ("", None, "unknown backbone ''; "),
        (20, None, "a backbone is a name such as 'resnet20', got 20"),
        ("resnet20", SEVariant(stages=(5,)), "unknown stage 5; known: 2, 3, 4"),
        ("resnet20", SEVariant(reduction={2: 8}), "no reduction is given for stage 3; given for 2"),
        ("resnet18", SEVariant(stages=(1, 2)), "unknown stage 1; known: 2, 3, 4, 5"),
    ],
)
def test_bad_input_is_refused(backbone: Any, variant: SEVariant | None, message: str) -> None:
    with pytest.raises(UserError) as caught:
        build_model(backbone, variant)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("field", ["num_classes", "in_channels"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "10"])
def test_counts_are_whole_numbers_of_at_least_one(field: str, value: object) -> None:
    with pytest.raises(UserError, match=f"^{field} must be a whole number of at least 1, got {value!r}$"):
        build_model("resnet8", **{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("eca", parse_variant("eca")),
        ("se:reduction=4,stages=2+3", SEVariant(reduction=4, stages=(2, 3))),
        ({"reduction": 4}, SEVariant(reduction=4)),
        ("plain", None),
    ],
)
def test_a_variant_may_be_given_as_study_files_write_it(
    written: VariantLike, meant: SEVariant | None
) -> None:
    """So that a block of a table is built from Python by the name that stands in the table."""
    assert measure_complexity("resnet20", written) == measure_complexity("resnet20", meant)
    given = [
        build_model("resnet20", written, seed=3),
        insert_se(build_model("resnet20", seed=3), written, seed=3),
    ]
    wanted = build_model("resnet20", meant, seed=3).state_dict()
    for model in given:
        found = model.state_dict()
        assert list(found) == list(wanted)
        assert all(torch.equal(found[name], wanted[name]) for name in wanted)


@pytest.mark.parametrize(
    ("written", "message"),
    [("simma", "did you mean 'simam'"), ({"reductoin": 3}, "'reduction'"), (7, "got 7")],
)
def test_what_is_no_variant_is_refused(written: object, message: str) -> None:
    for build in (build_model, measure_complexity):
        with pytest.raises(UserError, match=message):
            build("resnet20", written)  # type: ignore[operator]
    with pytest.raises(UserError, match=message):
        insert_se(build_model("resnet20"), written)  # type: ignore[arg-type]
