"""SEVariant: a checked, hashable value with a short label, from whatever study files write."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn

from senet_core import (
    BLOCKS,
    EXCITATIONS,
    GATES,
    PAPER_SE,
    SQUEEZES,
    SEVariant,
    UserError,
    build_model,
    variant_from,
)
from senet_core.variants.label import variant_label


def refusal(**fields: object) -> str:
    with pytest.raises(UserError) as caught:
        SEVariant(**fields)  # type: ignore[arg-type]
    return str(caught.value)


class TestAnyForm:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (None, None),
            ("plain", None),
            ("se:reduction=8", SEVariant(reduction=8)),
            ({}, SEVariant()),
            (
                {"reduction": {2: 8, 3: 4}, "stages": [2, 3]},
                SEVariant(reduction=((2, 8), (3, 4)), stages=(2, 3)),
            ),
            (SEVariant(bias=True), SEVariant(bias=True)),
        ],
    )
    def test_of_study_files_is_read(self, value: object, expected: SEVariant | None) -> None:
        assert variant_from(value) == expected

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (7, "a variant is 'plain', a text such as 'se:reduction=8' or fields, got 7"),
            (["se"], "a variant is 'plain', a text such as 'se:reduction=8' or fields, got ['se']"),
            (True, "a variant is 'plain', a text such as 'se:reduction=8' or fields, got True"),
            (
                {"reducton": 8},
                "unknown field of a variant 'reducton'; did you mean 'reduction'?"
                " known: squeeze, excitation, gate, reduction, stages, integration, bias, fusion, gate_init, opening,"
                " block, units",
            ),
        ],
    )
    def test_that_is_wrong_is_refused(self, value: object, message: str) -> None:
        with pytest.raises(UserError) as caught:
            variant_from(value)
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        ({}, "SE"),
        ({"reduction": 8}, "SE r=8"),
        ({"reduction": {3: 8, 2: 4}}, "SE r=2:4/3:8"),
        ({"squeeze": "max"}, "SE max"),
        ({"squeeze": "none"}, "SE NoSqueeze"),
        ({"excitation": "tanh"}, "SE tanh"),
        ({"stages": (2,)}, "SE stage 2"),
        ({"stages": (4, 2)}, "SE stages 2,4"),
        ({"integration": "pre"}, "SE-PRE"),
        ({"integration": "post"}, "SE-POST"),
        ({"integration": "identity"}, "SE-Identity"),
        ({"integration": "conv3x3"}, "SE_3x3"),
        ({"bias": True}, "SE bias"),
        (
            {
                "squeeze": "max",
                "excitation": "relu",
                "reduction": 2,
                "stages": (3,),
                "integration": "pre",
                "bias": True,
            },
            "SE-PRE max relu r=2 stage 3 bias",
        ),
    ],
)
def test_the_label_names_what_differs_from_the_papers_block(fields: dict[str, object], label: str) -> None:
    assert variant_label(SEVariant(**fields)) == label  # type: ignore[arg-type]


class TestValue:
    def test_any_way_to_write_stages_and_reductions_is_one_value(self) -> None:
        forms = {
            SEVariant(stages=[3, 2], reduction={3: 8, 2: 4}),  # type: ignore[arg-type]
            SEVariant(stages=(2, 3), reduction=((2, 4), (3, 8))),
            SEVariant(stages=(3, 2), reduction=[[3, 8], [2, 4]]),  # type: ignore[arg-type]
        }
        assert len(forms) == 1
        assert SEVariant(stages="all") == SEVariant()  # type: ignore[arg-type]
        assert SEVariant(stages=3) == SEVariant(stages=(3,))  # type: ignore[arg-type]

    def test_is_frozen_and_its_fields_are_named(self) -> None:
        with pytest.raises(dataclasses.FrozenInstanceError):
            SEVariant().reduction = 8  # type: ignore[misc]
        with pytest.raises(TypeError):
            SEVariant("max")  # type: ignore[misc]

    def test_defaults_to_the_papers_block(self) -> None:
        assert dataclasses.asdict(PAPER_SE) == {
            "squeeze": "avg",
            "excitation": "sigmoid",
            "gate": "bottleneck",
            "reduction": 16,
            "stages": None,
            "integration": "standard",
            "bias": False,
            "fusion": "scale",
            "gate_init": "torch",
            "opening": None,
            "block": "se",
            "units": "all",
        }

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            (
                {"squeeze": "avgg"},
                f"unknown squeeze 'avgg'; did you mean 'avg'? known: {', '.join(SQUEEZES)}",
            ),
            (
                {"excitation": "sigmod"},
                f"unknown excitation 'sigmod'; did you mean 'sigmoid'? known: {', '.join(EXCITATIONS)}",
            ),
            (
                {"gate": "bottlenek"},
                f"unknown gate 'bottlenek'; did you mean 'bottleneck'? known: {', '.join(GATES)}",
            ),
            (
                {"integration": "par"},
                "unknown integration 'par'; did you mean 'pre'? known: conv3x3, identity, post, pre, standard",
            ),
            ({"squeeze": None}, f"squeeze must be a registered name, got None; known: {', '.join(SQUEEZES)}"),
            (
                {"gate": ["bottleneck"]},
                f"gate must be a registered name, got ['bottleneck']; known: {', '.join(GATES)}",
            ),
            ({"reduction": 0}, "reduction must be a whole number of at least 1, got 0"),
            ({"reduction": -4}, "reduction must be a whole number of at least 1, got -4"),
            (
                {"reduction": 8.0},
                "reduction must be a whole number of at least 1, or one for each stage, got 8.0",
            ),
            (
                {"reduction": True},
                "reduction must be a whole number of at least 1, or one for each stage, got True",
            ),
            (
                {"reduction": "8"},
                "reduction must be a whole number of at least 1, or one for each stage, got '8'",
            ),
            (
                {"reduction": None},
                "reduction must be a whole number of at least 1, or one for each stage, got None",
            ),
            (
                {"reduction": {}},
                "reduction must be a whole number of at least 1, or one for each stage, got ()",
            ),
            ({"reduction": {2: 0}}, "reduction must be a whole number of at least 1, got 0"),
            ({"reduction": {2: 1.5}}, "reduction must be a whole number of at least 1, got 1.5"),
            (
                {"reduction": {"2": 8}},
                "reduction must be a whole number, or one for each stage (2: 8, 3: 16), got (('2', 8),)",
            ),
            (
                {"reduction": [8, 16]},
                "reduction must be a whole number, or one for each stage (2: 8, 3: 16), got [8, 16]",
            ),
            ({"reduction": [[2, 8], [2, 4]]}, "reduction names a stage twice: [[2, 8], [2, 4]]"),
            (
                {"reduction": {2: 8}, "stages": (2, 3)},
                "reduction is given for stages 2, but the blocks are in stages 2,3",
            ),
            (
                {"stages": ()},
                "stages is empty; name at least one stage, or use 'plain' for the network without blocks",
            ),
            ({"stages": "some"}, "stages must be 'all' or a list of stage numbers, got 'some'"),
            ({"stages": ("2",)}, "stages must be 'all' or a list of stage numbers, got ('2',)"),
            ({"stages": True}, "stages must be 'all' or a list of stage numbers, got True"),
            ({"stages": 2.0}, "stages must be 'all' or a list of stage numbers, got 2.0"),
            ({"stages": (2, 3, 2)}, "stages names a stage twice: (2, 3, 2)"),
            ({"bias": 1}, "bias must be true or false, got 1"),
            ({"bias": "false"}, "bias must be true or false, got 'false'"),
            ({"bias": None}, "bias must be true or false, got None"),
        ],
        ids=str,
    )
    def test_that_is_wrong_is_refused(self, fields: dict[str, object], message: str) -> None:
        assert refusal(**fields) == message


class TestWidth:
    @pytest.mark.parametrize(
        ("reduction", "channels", "width"), [(16, 64, 4), (1, 64, 64), (16, 16, 1), (32, 16, 1), (3, 64, 21)]
    )
    def test_is_channels_by_reduction_rounded_down_and_at_least_one(
        self, reduction: int, channels: int, width: int
    ) -> None:
        assert SEVariant(reduction=reduction).width(channels, 2) == width

    def test_follows_the_stage(self) -> None:
        variant = SEVariant(reduction={2: 8, 3: 4})
        assert [variant.width(64, stage) for stage in (2, 3)] == [8, 16]
        with pytest.raises(UserError, match=r"^no reduction is given for stage 4; given for 2,3$"):
            variant.width(64, 4)


class TestLaterFields:
    def test_are_left_out_of_the_text_where_they_are_the_papers(self) -> None:
        assert str(PAPER_SE) == (
            "se:squeeze=avg,excitation=sigmoid,gate=bottleneck,reduction=16,stages=all,integration=standard,bias=false"
        )
        assert str(SEVariant(fusion="add", opening=2, units="last")).endswith(
            ",bias=false,fusion=add,opening=2.0,units=last"
        )

    @pytest.mark.parametrize(
        ("fields", "label"),
        [
            ({"fusion": "add"}, "SE add"),
            ({"gate_init": "zeros-last", "opening": 2}, "SE zeros-last opening 2"),
            ({"units": "last", "stages": [2]}, "SE stage 2 last unit"),
        ],
    )
    def test_are_told(self, fields: dict[str, object], label: str) -> None:
        assert variant_label(SEVariant(**fields)) == label  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            (
                {"opening": "wide"},
                "opening must be a number, where the bias of the logits starts, or none, got 'wide'",
            ),
            ({"opening": float("nan")}, "opening must be a number"),
            ({"opening": 2, "bias": True}, "with bias: true they have one: leave one of the two out"),
            ({"units": "first"}, "units must be 'all' or 'last', got 'first'"),
            ({"fusion": "scales"}, "unknown fusion 'scales'; did you mean 'scale'?"),
            ({"block": "see"}, "unknown block 'see'; did you mean 'se'?"),
        ],
    )
    def test_that_are_wrong_are_refused(self, fields: dict[str, object], message: str) -> None:
        assert message in refusal(**fields)


@pytest.mark.usefixtures("own_registries")
class TestWholeBlock:
    def test_has_nothing_to_choose_inside_it(self) -> None:
        BLOCKS.register("half", source="ours: a test")(Half)
        assert (
            variant_label(SEVariant(block="half", integration="post", units="last")) == "half post last unit"
        )
        assert refusal(block="half", squeeze="max", bias=True) == (
            "block 'half' is a whole block, with nothing to choose inside it: leave out squeeze, bias"
        )

    def test_stands_in_the_last_unit_of_each_stage(self) -> None:
        BLOCKS.register("half", source="ours: a test")(Half)
        variant = SEVariant(block="half", integration="post", units="last", reduction=8)
        assert not variant.uses_reduction
        model = build_model("resnet14", variant, num_classes=10, seed=0)
        found = [name for name, module in model.named_modules() if isinstance(module, Half)]
        assert found == ["layer1.1.se.body", "layer2.1.se.body", "layer3.1.se.body"]


class Half(nn.Module):
    """Halve a map."""

    def __init__(self, channels: int, *, width: int) -> None:
        super().__init__()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x / 2
