"""The SE block and its gate network: worked by hand, against torchvision, and fused against written out."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch
import torchvision
from torch import Tensor, nn

from senet_core import GATES, SLOTS, SQUEEZES, SEBlock, UserError

PAPERS = {"squeeze": ("avg", "max", "none"), "excitation": ("sigmoid", "relu", "tanh")}


def alone(slot: str, name: str, bias: bool) -> tuple[str, str, str, bool]:
    """Return squeeze, excitation, gate and bias of a block in which one entry is not the paper's."""
    registry, squeeze = SLOTS[slot], "avg"
    taken = registry[name].traits.get("descriptors", 1)
    if slot == "gate" and taken > 1:
        squeeze = next(s for s in SQUEEZES if SQUEEZES[s].traits["descriptors"] == taken)
    made = {"squeeze": squeeze, "excitation": "sigmoid", "gate": "bottleneck", slot: name}
    return made["squeeze"], made["excitation"], made["gate"], bias


ALL = list(
    dict.fromkeys(
        [
            *product(PAPERS["squeeze"], PAPERS["excitation"], ["bottleneck"], (False, True)),
            *(
                alone(s, n, b)
                for s in ("squeeze", "excitation", "gate")
                for n in SLOTS[s]
                for b in (False, True)
            ),
        ]
    )
)
"""Every combination of the paper's, and every entry in the paper's block."""
CHANNELS = 16
"""All entries can be built for so many."""


def maps(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def gate(name: str, channels: int = 6, *, width: int = 3, bias: bool = False) -> nn.Module:
    torch.manual_seed(0)
    built: nn.Module = GATES[name].build(channels, width=width, bias=bias)
    return built


SINGLE = [name for name in GATES if GATES[name].traits["descriptors"] == 1]


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("name", SINGLE)  # registering a gate is enough to be tested
class TestEveryGate:
    @pytest.mark.parametrize("shape", [(2, 16), (1, 16), (2, 16, 5, 7), (1, 16, 1, 1)])
    def test_keeps_the_shape(self, name: str, bias: bool, shape: tuple[int, ...]) -> None:
        assert gate(name, 16, width=4, bias=bias).eval()(maps(*shape)).shape == shape

    def test_maps_every_position_as_it_maps_a_vector(self, name: str, bias: bool) -> None:
        network, z = gate(name, 16, width=4, bias=bias).eval(), maps(2, 16, 3, 5)
        torch.testing.assert_close(network(z)[:, :, 2, 4], network(z[:, :, 2, 4]))

    def test_has_a_finite_gradient_on_dead_channels(self, name: str, bias: bool) -> None:
        network, z = gate(name, 16, width=4, bias=bias), torch.zeros(2, 16, requires_grad=True)
        network(z).sum().backward()
        for tensor in (z, *network.parameters()):
            assert tensor.grad is not None
            assert tensor.grad.isfinite().all()


class TestBottleneck:
    def test_is_two_layers_with_a_rectifier_between_by_hand(self) -> None:
        network = gate("bottleneck", 2, width=2)
        with torch.no_grad():
            network.fc1.weight.copy_(torch.tensor([[1.0, 2.0], [-1.0, 0.0]]))
            network.fc2.weight.copy_(torch.tensor([[1.0, 5.0], [-2.0, 7.0]]))
        # W1 z = (5, -1), rectified (5, 0), W2 of it (5, -10)
        assert network(torch.tensor([[1.0, 2.0]])).tolist() == [[5.0, -10.0]]

    @pytest.mark.parametrize(("bias", "parameters"), [(False, 2 * 6 * 3), (True, 2 * 6 * 3 + 6 + 3)])
    def test_has_biases_only_if_asked_for(self, bias: bool, parameters: int) -> None:
        assert sum(p.numel() for p in gate("bottleneck", bias=bias).parameters()) == parameters

    @pytest.mark.parametrize("width", [0, -1])
    def test_refuses_a_width_below_one(self, width: int) -> None:
        with pytest.raises(ValueError, match=f"^width must be at least 1 unit, got {width}$"):
            gate("bottleneck", width=width)


@pytest.mark.parametrize(("squeeze", "excitation", "name", "bias"), ALL)
class TestEveryBlock:
    @pytest.mark.parametrize("shape", [(2, CHANNELS, 5, 7), (1, CHANNELS, 1, 1), (1, CHANNELS, 3, 2)])
    def test_keeps_the_shape_and_fuses_exactly(
        self, squeeze: str, excitation: str, name: str, bias: bool, shape: tuple[int, ...]
    ) -> None:
        torch.manual_seed(0)
        block = SEBlock(
            CHANNELS, width=2, squeeze=squeeze, excitation=excitation, gate=name, bias=bias
        ).eval()
        x, other = maps(*shape), maps(*shape, seed=1)
        weights = block.weights(x)
        assert weights.shape in ((*shape[:2], 1, 1), shape)
        assert torch.equal(block(x), x * weights)
        torch.testing.assert_close(block.scale_add(x, other), other + x * weights)

    def test_has_finite_gradients_on_dead_channels(
        self, squeeze: str, excitation: str, name: str, bias: bool
    ) -> None:
        block = SEBlock(CHANNELS, width=2, squeeze=squeeze, excitation=excitation, gate=name, bias=bias)
        x = torch.zeros(2, CHANNELS, 5, 7, requires_grad=True)
        block(x).sum().backward()
        for tensor in (x, *block.parameters()):
            assert tensor.grad is not None
            assert tensor.grad.isfinite().all()


def test_the_papers_block_by_hand() -> None:
    block = SEBlock(2, width=1)
    with torch.no_grad():
        block.network.fc1.weight.copy_(torch.tensor([[1.0, 1.0]]))
        block.network.fc2.weight.copy_(torch.tensor([[2.0], [-1.0]]))
    x = torch.tensor([[[[1.0, 3.0]], [[-2.0, 0.0]]]])  # means 2 and -1, sum 1, logits 2 and -1
    up, down = 1 / (1 + math.exp(-2)), 1 / (1 + math.exp(1))
    assert block.weights(x).flatten().tolist() == pytest.approx([up, down])
    assert block(x).flatten().tolist() == pytest.approx([up, 3 * up, -2 * down, 0])


@pytest.mark.parametrize(
    ("excitation", "layer"), [("sigmoid", nn.Sigmoid), ("tanh", nn.Tanh), ("relu", nn.ReLU)]
)
def test_equals_torchvisions_block_with_the_same_excitation(excitation: str, layer: type[nn.Module]) -> None:
    torch.manual_seed(0)
    theirs = torchvision.ops.SqueezeExcitation(12, 3, scale_activation=layer)
    ours = SEBlock(12, width=3, bias=True, excitation=excitation)
    with torch.no_grad():
        for mine, their in zip(ours.parameters(), theirs.parameters(), strict=True):
            mine.copy_(their.reshape(mine.shape))
    x = maps(3, 12, 5, 7)
    torch.testing.assert_close(ours(x), theirs(x))


def test_no_squeeze_is_the_block_at_every_position() -> None:
    torch.manual_seed(0)
    block = SEBlock(6, width=2, squeeze="none", bias=True)
    x = maps(2, 6, 3, 5)
    whole = block(x)
    for row, column in product(range(3), range(5)):
        here = x[:, :, row : row + 1, column : column + 1]
        torch.testing.assert_close(whole[:, :, row : row + 1, column : column + 1], block(here))


@pytest.mark.parametrize("field", ["squeeze", "excitation", "gate"])
def test_an_unknown_name_is_refused(field: str) -> None:
    with pytest.raises(UserError, match=f"^unknown {field} 'nothing'; "):
        SEBlock(6, width=2, **{field: "nothing"})


class TestScaleAdd:
    @pytest.fixture
    def block(self) -> SEBlock:
        torch.manual_seed(0)
        return SEBlock(8, width=2)

    def test_has_the_gradients_of_the_formula(self, block: SEBlock) -> None:
        found = []
        for fused in (True, False):
            x, other = (maps(2, 8, 5, 7, seed=seed).requires_grad_() for seed in (0, 1))
            y = block.scale_add(x, other) if fused else other + x * block.weights(x)
            found.append(torch.autograd.grad(y.pow(2).sum(), [x, other, *block.parameters()]))
        for mine, expected in zip(*found, strict=True):
            torch.testing.assert_close(mine, expected)

    def test_leaves_its_inputs_alone(self, block: SEBlock) -> None:
        x, other = maps(2, 8, 5, 7), maps(2, 8, 5, 7, seed=1)
        before = x.clone(), other.clone()
        block.scale_add(x, other)
        assert torch.equal(x, before[0])
        assert torch.equal(other, before[1])

    @pytest.mark.parametrize("x_type", [torch.float32, torch.bfloat16])
    @pytest.mark.parametrize("other_type", [torch.float32, torch.bfloat16])
    def test_is_the_formula_under_autocast(
        self, block: SEBlock, x_type: torch.dtype, other_type: torch.dtype
    ) -> None:
        x, other = maps(2, 8, 5, 7).to(x_type), maps(2, 8, 5, 7, seed=1).to(other_type)
        with torch.autocast("cpu", torch.bfloat16):
            fused, expected = block.scale_add(x, other), other + x * block.weights(x)
        assert fused.dtype == expected.dtype
        exact = other.float() + x.float() * block.weights(x.float())
        for found in (fused, expected):  # bfloat16 has 8 bits: the rounding of gates, product and sum
            torch.testing.assert_close(found.float(), exact, rtol=0.02, atol=0.02)

    def test_lets_stochastic_depth_act_on_the_weighed_map_only(self, block: SEBlock) -> None:
        x, other = maps(2, 8, 5, 7), maps(2, 8, 5, 7, seed=1)
        seen: list[Tensor] = []

        def drop(y: Tensor) -> Tensor:
            seen.append(y)
            return y * 3

        torch.testing.assert_close(block.scale_add(x, other, after=drop), other + 3 * x * block.weights(x))
        torch.testing.assert_close(seen, [block(x)])
        assert torch.equal(block.scale_add(x, other, after=torch.zeros_like), other)

    def test_keeps_channels_last(self, block: SEBlock) -> None:
        x, other = (maps(2, 8, 5, 7, seed=seed).to(memory_format=torch.channels_last) for seed in (0, 1))
        assert block.scale_add(x, other).is_contiguous(memory_format=torch.channels_last)
        assert block(x).is_contiguous(memory_format=torch.channels_last)


class TestFusion:
    @pytest.mark.parametrize(
        ("fusion", "expected"), [("scale", 3 * 0.5), ("add", 3 + 0.5), ("one-plus-scale", 3 * 1.5)]
    )
    def test_of_a_map_of_threes_and_gates_of_a_half(self, fusion: str, expected: float) -> None:
        block = SEBlock(4, width=2, fusion=fusion)
        nn.init.zeros_(block.network.fc2.weight)
        x = torch.full((1, 4, 2, 2), 3.0)
        assert torch.equal(block(x), torch.full_like(x, expected))
        assert torch.equal(block.scale_add(x, torch.ones_like(x)), torch.full_like(x, expected + 1))


def test_an_opening_is_where_every_gate_starts() -> None:
    block = SEBlock(4, width=2, opening=2.0)
    nn.init.zeros_(block.network.fc2.weight)
    assert torch.allclose(block.weights(torch.randn(2, 4, 3, 3)), torch.tensor(2.0).sigmoid())
    assert block.state_dict()["opening"].shape == (4,)


@pytest.mark.usefixtures("own_registries")
def test_descriptors_share_the_gate_and_are_added_before_the_excitation() -> None:
    @SQUEEZES.register("two", source="ours: a test", descriptors=2)
    def two(x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1)

    block = SEBlock(4, width=2, squeeze="two")
    x = torch.randn(3, 4, 5, 5)
    by_hand = (block.network(x.mean(dim=(2, 3))) + block.network(x.amax(dim=(2, 3)))).sigmoid()
    assert torch.allclose(block.weights(x), by_hand[:, :, None, None])


@pytest.mark.usefixtures("own_registries")
def test_gates_of_tiles_are_repeated() -> None:
    @SQUEEZES.register("halves", source="ours: a test")
    def halves(x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x[:, :, :2].mean(dim=(2, 3)), x[:, :, 2:].mean(dim=(2, 3))], dim=2)[..., None]

    block = SEBlock(4, width=2, squeeze="halves")
    gates = block.weights(torch.randn(1, 4, 4, 3))
    assert gates.shape == (1, 4, 4, 3)
    assert torch.equal(gates[:, :, 0], gates[:, :, 1])
    assert torch.equal(gates[..., 0], gates[..., 2])
    assert not torch.equal(gates[:, :, 1], gates[:, :, 2])
