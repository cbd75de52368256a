"""Parameters and multiply-adds: the paper's Table 10 to the last digit, and a small network by hand."""

from __future__ import annotations

import pytest
import torch

from senet_core import SEVariant, UserError, build_model, measure_complexity
from senet_core.complexity import count_parameters, measure_activations

TINY = (3, 8, 8)
# ResNet-8 on 8x8 images: 64, 16 and 4 positions; weights of a 3x3 convolution are 9 * in * out
WEIGHTS = {
    "conv1": 9 * 3 * 16,
    "stage 2": 9 * 16 * 16 + 9 * 16 * 16,
    "stage 3": 9 * 16 * 32 + 9 * 32 * 32,
    "stage 4": 9 * 32 * 64 + 9 * 64 * 64,
    "fc": 64 * 10,
}
POSITIONS = {"conv1": 64, "stage 2": 64, "stage 3": 16, "stage 4": 4, "fc": 1}
MULTIPLY_ADDS = sum(WEIGHTS[layer] * POSITIONS[layer] for layer in WEIGHTS)
PARAMETERS = (
    sum(WEIGHTS.values()) + 10 + 2 * (16 + 2 * (16 + 32 + 64))
)  # bias of fc; scale and shift of norms
GATES = 2 * (16 * 4 + 32 * 8 + 64 * 16)  # two layers in each unit, r = 4


@pytest.mark.parametrize(
    ("reduction", "parameters"),
    [
        (2, 45_676_584),
        (4, 35_616_808),
        (8, 30_586_920),
        (16, 28_071_976),
        (32, 26_814_504),
        (None, 25_557_032),
    ],
)
def test_parameters_of_se_resnet_50(reduction: int | None, parameters: int) -> None:
    """Table 10 prints 45.7, 35.7, 30.7, 28.1, 26.9 and 25.6 M."""
    variant = None if reduction is None else SEVariant(reduction=reduction)
    assert measure_complexity("resnet50", variant, image_shape=(3, 32, 32)).parameters == parameters


@pytest.mark.parametrize(
    ("variant", "parameters", "multiply_adds", "widths"),
    [
        (None, PARAMETERS, MULTIPLY_ADDS, {}),
        (
            SEVariant(reduction=4),
            PARAMETERS + GATES,
            MULTIPLY_ADDS + GATES,
            {2: (4,), 3: (8,), 4: (16,)},
        ),
        (
            SEVariant(reduction=4, bias=True),
            PARAMETERS + GATES + 4 + 16 + 8 + 32 + 16 + 64,
            MULTIPLY_ADDS + GATES,  # adding a bias is no multiply-add
            {2: (4,), 3: (8,), 4: (16,)},
        ),
        (
            SEVariant(reduction=4, squeeze="none"),
            PARAMETERS + GATES,
            MULTIPLY_ADDS + 2 * (16 * 4 * 64 + 32 * 8 * 16 + 64 * 16 * 4),
            {2: (4,), 3: (8,), 4: (16,)},
        ),
        (
            SEVariant(reduction=64, stages=(2, 4)),
            PARAMETERS + 2 * (16 + 64),
            MULTIPLY_ADDS + 2 * (16 + 64),
            {2: (1,), 4: (1,)},
        ),
        (
            SEVariant(reduction={2: 2, 3: 4, 4: 8}, integration="pre"),  # gates 16, 16 and 32 channels
            PARAMETERS + 2 * (16 * 8 + 16 * 4 + 32 * 4),
            MULTIPLY_ADDS + 2 * (16 * 8 + 16 * 4 + 32 * 4),
            {2: (8,), 3: (4,), 4: (4,)},
        ),
    ],
    ids=str,
)
def test_a_small_network_by_hand(
    variant: SEVariant | None, parameters: int, multiply_adds: int, widths: dict[int, tuple[int, ...]]
) -> None:
    cost = measure_complexity("resnet8", variant, image_shape=TINY, num_classes=10)
    assert (cost.parameters, cost.multiply_adds, cost.bottleneck_widths) == (
        parameters,
        multiply_adds,
        widths,
    )


def test_widths_are_those_of_every_unit_in_order() -> None:
    cost = measure_complexity(
        "resnet20", SEVariant(reduction=8, stages=(3, 4)), image_shape=TINY, num_classes=10
    )
    assert cost.bottleneck_widths == {3: (4, 4, 4), 4: (8, 8, 8)}


@pytest.mark.parametrize("integration", ["standard", "pre", "conv3x3"])
def test_counts_the_parameters_of_the_network_that_is_built(integration: str) -> None:
    variant = SEVariant(integration=integration)
    cost = measure_complexity("resnet14", variant, image_shape=(1, 8, 8), num_classes=3)
    assert cost.parameters == count_parameters(build_model("resnet14", variant, num_classes=3, in_channels=1))


def test_draws_no_random_numbers_and_leaves_gradients_on() -> None:
    before = torch.get_rng_state()
    measure_complexity("resnet8", SEVariant(), image_shape=TINY, num_classes=10)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.is_grad_enabled()
    assert torch.empty(1).device.type == "cpu"


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(UserError, match=r"^unknown backbone 'resnet2'; "):
        measure_complexity("resnet2")


def saved_bytes(variant: SEVariant | None, images: int) -> int:
    """What autograd really keeps on the processor."""
    model = build_model("resnet8", variant, num_classes=10).train()
    kept: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        logits = model(torch.rand(images, *TINY))
    size = sum(storage.nbytes() for storage in kept.values())
    del logits
    return size


@pytest.mark.parametrize(
    "variant", [None, SEVariant(), SEVariant(integration="post", squeeze="max")], ids=str
)
def test_activations_are_what_training_really_keeps(variant: SEVariant | None) -> None:
    counted = measure_activations("resnet8", variant, image_shape=TINY, num_classes=10)
    assert counted == saved_bytes(variant, 7) - saved_bytes(variant, 6)


def test_counting_activations_draws_no_numbers() -> None:
    before = torch.get_rng_state()
    shaken = measure_activations("shake-shake-8-2x4d", None, image_shape=TINY, num_classes=10)
    assert shaken > 0
    assert torch.equal(torch.get_rng_state(), before)
