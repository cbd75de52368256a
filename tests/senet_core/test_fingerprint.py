"""Fingerprints: equal for one network under two names, different whenever something computes or learns otherwise."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from senet_core import BLOCKS, EXCITATIONS, GATES, INTEGRATIONS, SQUEEZES, SEVariant
from senet_core.blocks.gates.bottleneck import Bottleneck
from senet_core.fingerprint import Fingerprint, fingerprint, small_image, structure

pytestmark = pytest.mark.slow  # minutes in all

DIGITS: dict[str, Any] = {"num_classes": 10, "image_shape": (1, 8, 8)}
PAPERS = ("avg", "max", "none"), ("relu", "sigmoid", "tanh")
WHOLE_MAP = {"ge8", "tiles8"}
"""Squeezes that on the 8 x 8 maps of stage 2 are the mean of all positions."""
CHANGES: dict[str, Any] = {
    "squeeze": "max",
    "excitation": "tanh",
    "gate": "mine",
    "reduction": 8,
    "stages": (2, 4),
    "integration": "post",
    "bias": True,
    "fusion": "add",
    "gate_init": "zeros-last",
    "opening": 2.0,
    "block": "half",
    "units": "last",
}


def of(variant: SEVariant | None = None, backbone: str = "resnet8") -> Fingerprint:
    return fingerprint(backbone, variant, **DIGITS)


@pytest.mark.usefixtures("own_registries")
@pytest.mark.parametrize("field", [field.name for field in fields(SEVariant)])
def test_every_field_of_a_variant_changes_the_network(field: str) -> None:
    @GATES.register("mine", source="ours: one layer and no bottleneck")
    def one_layer(channels: int, *, width: int, bias: bool) -> nn.Module:
        return nn.Linear(channels, channels, bias=bias)

    @BLOCKS.register("half", source="ours: half of the map")
    class Half(nn.Module):
        def __init__(self, channels: int, *, width: int) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.full((channels, 1, 1), 0.5))

        def forward(self, x: Tensor) -> Tensor:
            return x * self.scale

    backbone = "resnet14"  # two units in a stage, so that the last is not the only one
    before = of(SEVariant(), backbone)
    after = of(replace(SEVariant(), **{field: CHANGES[field]}), backbone)
    assert before != after
    # how a gate starts changes what is learned, and not what given weights compute
    assert (before.function == after.function) == (field == "gate_init")
    assert before.training != after.training


@pytest.mark.parametrize("stage", [2, 4])
def test_all_combinations_of_entries_compute_different_functions(stage: int) -> None:
    """Stage 2 is the hard case: a bottleneck of one unit, whose ReLU may be dead."""
    seen: dict[str, SEVariant] = {}
    for squeeze, excitation, integration in product(*PAPERS, INTEGRATIONS):
        variant = SEVariant(squeeze=squeeze, excitation=excitation, integration=integration, stages=(stage,))
        function = of(variant).function
        assert function not in seen, (variant, seen[function])
        seen[function] = variant


def test_every_other_entry_computes_a_function_of_its_own() -> None:
    seen = {of(SEVariant(stages=(2,), reduction=4)).function: "the paper's"}
    names = [("squeeze", name) for name in SQUEEZES if name not in {"avg", *WHOLE_MAP}]
    names += [("excitation", name) for name in EXCITATIONS if name != "sigmoid"]
    names += [("gate", name) for name in GATES if name != "bottleneck"]
    for slot, name in names:
        pair = {"squeeze": "mean-std"} if name == "srm" else {}
        function = of(SEVariant(**pair, **{slot: name}, stages=(2,), reduction=4)).function  # type: ignore[arg-type]
        assert function not in seen, (name, seen[function])
        seen[function] = name


def test_reductions_with_one_width_are_one_network() -> None:
    one, other = of(SEVariant(stages=(2,))), of(SEVariant(stages=(2,), reduction=32))
    assert one == other
    assert one.widths == ((2, (1,)),)
    assert of(SEVariant(stages=(3,))) != of(SEVariant(stages=(3,), reduction=32))


def test_says_widths_and_places() -> None:
    print_ = fingerprint("resnet14", SEVariant(integration="pre", stages=(2, 3)), **DIGITS)
    assert print_.widths == ((2, (1, 1)), (3, (1, 2)))
    assert print_.gates == (("layer1.0", "in"), ("layer1.1", "in"), ("layer2.0", "in"), ("layer2.1", "in"))
    made_of = structure("resnet14", SEVariant(integration="pre", stages=(2, 3)), **DIGITS)
    assert made_of.channels == ((2, (16, 16)), (3, (16, 32)))
    assert (made_of.parameters, made_of.multiply_adds) == (print_.parameters, print_.multiply_adds)
    assert made_of.least_side == 2
    assert of(None).gates == of(None).widths == ()


def test_is_a_value_that_is_the_same_again() -> None:
    assert of(SEVariant()) == of(SEVariant())
    assert hash(of(SEVariant())) == hash(of(SEVariant()))


def test_the_function_is_the_same_on_every_machine() -> None:
    """Recorded: another value here, with the same networks, is a change of what a fingerprint is."""
    assert of(None).function == "a79efae40d945dc1"
    assert of(SEVariant(reduction=4)).function == "fb14464471a774bf"


@pytest.mark.parametrize("threads", [1, 2])
def test_does_not_depend_on_threads_or_global_generators_and_leaves_them(threads: int) -> None:
    expected = of(SEVariant())
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        torch.manual_seed(threads)
        state = torch.get_rng_state()
        assert of(SEVariant()) == expected
        assert torch.equal(torch.get_rng_state(), state)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_networks_that_differ_in_the_backward_pass_alone_are_different() -> None:
    shaken, even = (fingerprint(f"shake-{kind}-8-2x4d", None, **DIGITS) for kind in ("shake", "even"))
    assert shaken.parameters == even.parameters
    assert shaken != even
    assert shaken.training != even.training


@pytest.mark.usefixtures("own_registries")
class TestPlugins:
    def test_that_copy_an_entry_are_the_same_network(self) -> None:
        @SQUEEZES.register("mean", source="a copy, summed in another order")
        def mean(x: Tensor) -> Tensor:
            return x.transpose(2, 3).flatten(2).mean(dim=2)

        assert of(SEVariant(squeeze="mean")) == of(SEVariant())

    def test_that_copy_a_gate_under_other_names_are_the_same_network(self) -> None:
        class Renamed(nn.Module):
            def __init__(self, channels: int, width: int, bias: bool) -> None:
                super().__init__()
                self.down = nn.Linear(channels, width, bias=bias)
                self.up = nn.Linear(width, channels, bias=bias)

            def forward(self, z: Tensor) -> Tensor:
                y: Tensor = self.up(self.down(z).clamp_min(0))
                return y

        @GATES.register("copy", source="a copy")
        def copy(channels: int, *, width: int, bias: bool) -> nn.Module:
            return Renamed(channels, width, bias)

        assert of(SEVariant(gate="copy", bias=True)) == of(SEVariant(bias=True))

    def test_whose_gate_ignores_the_width_are_one_network_for_all_reductions(self) -> None:
        @GATES.register("direct", source="no bottleneck")
        def direct(channels: int, *, width: int, bias: bool) -> nn.Module:
            return nn.Linear(channels, channels, bias=bias)

        assert of(SEVariant(gate="direct", reduction=2)) == of(SEVariant(gate="direct", reduction=8))

    def test_that_start_from_other_weights_are_different(self) -> None:
        """The same function of the same parameters, but not the same training."""

        @GATES.register("zeros", source="starts closed")
        def zeros(channels: int, *, width: int, bias: bool) -> nn.Module:
            gate = Bottleneck(channels, width=width, bias=bias)
            nn.init.zeros_(gate.fc2.weight)
            return gate

        one, other = of(SEVariant(gate="zeros")), of(SEVariant())
        assert one.function == other.function
        assert one != other

    def test_that_drop_out_are_different(self) -> None:
        for share in (0.1, 0.5):

            class Dropping(nn.Module):
                def __init__(self, channels: int, share: float = share) -> None:
                    super().__init__()
                    self.drop = nn.Dropout(share)

                def forward(self, logits: Tensor) -> Tensor:
                    y: Tensor = self.drop(logits).sigmoid()
                    return y

            EXCITATIONS.register(f"drop{share}", source="ours")(Dropping)
        assert of(SEVariant(excitation="drop0.1")) != of(SEVariant(excitation="drop0.5"))

    def test_that_keep_constants_in_buffers_are_told_apart_by_them(self) -> None:
        for power in (1.0, 2.0):

            class Scaled(nn.Module):
                scale: Tensor

                def __init__(self, channels: int, power: float = power) -> None:
                    super().__init__()
                    self.register_buffer("scale", torch.full((channels,), power))

                def forward(self, x: Tensor) -> Tensor:
                    return x.mean(dim=(2, 3)) * self.scale

            SQUEEZES.register(f"scaled{power}", source="ours")(Scaled)
        one, other = of(SEVariant(squeeze="scaled1.0")), of(SEVariant(squeeze="scaled2.0"))
        assert one.function != other.function
        assert one.function == of(SEVariant()).function

    def test_with_an_exponent_to_learn_have_finite_outputs(self) -> None:
        @SQUEEZES.register("power", source="ours")
        class Power(nn.Module):
            def __init__(self, channels: int) -> None:
                super().__init__()
                self.p = nn.Parameter(torch.tensor(3.0))

            def forward(self, x: Tensor) -> Tensor:
                return x.abs().clamp_min(1e-6).pow(self.p).mean(dim=(2, 3)).pow(1 / self.p)

        assert of(SEVariant(squeeze="power")) != of(SEVariant())

    def test_that_compute_in_float32_only_have_a_fingerprint_too(self) -> None:
        @SQUEEZES.register("float", source="ours")
        def single(x: Tensor) -> Tensor:
            return x.float().mean(dim=(2, 3))

        assert of(SEVariant(squeeze="float")) != of(SEVariant(squeeze="max"))

    def test_whose_outputs_are_not_finite_have_none(self) -> None:
        @EXCITATIONS.register("root", source="ours")
        def root(logits: Tensor) -> Tensor:
            return (logits - 1e9).sqrt()

        with pytest.raises(ArithmeticError, match="not finite"):
            of(SEVariant(excitation="root"))


@pytest.mark.parametrize(
    ("backbone", "side", "small"),
    [("resnet20", 32, 16), ("resnet8", 8, 8), ("resnet50", 224, 64), ("inception-resnet-v2", 299, 160)],
)
def test_images_are_made_small_but_not_to_one_position(backbone: str, side: int, small: int) -> None:
    made_of = structure(backbone, None, num_classes=2, image_shape=(3, side, side))
    shape = small_image(made_of, (3, side, side))
    assert shape == (3, small, small)
    assert structure(backbone, None, num_classes=2, image_shape=shape).least_side >= 2
