"""The forms of a variant: a text that reads back, and one normal form for one network."""

from __future__ import annotations

import dataclasses
import pickle

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from senet_core import (
    PAPER_SE,
    SLOTS,
    SEVariant,
    UserError,
    parse_variant,
    variant_label,
    variant_text,
)

STAGES = (2, 3, 4, 5)
ratios = st.integers(1, 64)


@st.composite
def variants(draw: st.DrawFn) -> SEVariant:
    stages = draw(st.none() | st.sets(st.sampled_from(STAGES), min_size=1).map(tuple))
    per_stage = st.fixed_dictionaries(dict.fromkeys(stages or STAGES, ratios))
    where = {
        "stages": stages,
        "reduction": draw(ratios | per_stage),
        "integration": draw(st.sampled_from(list(SLOTS["integration"]))),
    }
    if draw(st.booleans()):  # a whole block, with nothing to choose inside it
        return SEVariant(block=draw(st.sampled_from(list(SLOTS["block"]))), **where)
    pieces = {
        slot: draw(st.sampled_from(list(SLOTS[slot])))
        for slot in SLOTS
        if slot not in ("integration", "block")
    }
    taken, given = (SLOTS[slot][pieces[slot]].traits["descriptors"] for slot in ("gate", "squeeze"))
    assume(taken in (1, given))
    return SEVariant(**pieces, **where, bias=draw(st.booleans()))


class TestText:
    @given(variants())
    def test_reads_back_to_an_equal_value(self, variant: SEVariant) -> None:
        assert parse_variant(str(variant)) == variant
        assert parse_variant(f"  {variant_text(variant)}\n") == variant

    @given(variants(), variants())
    def test_and_label_tell_variants_apart(self, first: SEVariant, second: SEVariant) -> None:
        assert (str(first) == str(second)) == (first == second)
        if first.uses_reduction:  # else the label leaves it out
            assert (variant_label(first) == variant_label(second)) == (first == second)

    def test_is_canonical(self) -> None:
        assert str(PAPER_SE) == (
            "se:squeeze=avg,excitation=sigmoid,gate=bottleneck,reduction=16,stages=all,integration=standard,bias=false"
        )
        other = SEVariant(
            squeeze="max",
            excitation="tanh",
            reduction={3: 8, 2: 4},
            stages=[3, 2],
            integration="pre",
            bias=True,
        )
        assert str(other) == (
            "se:squeeze=max,excitation=tanh,gate=bottleneck,reduction=2:4/3:8,stages=2+3,integration=pre,bias=true"
        )

    def test_of_the_plain_network_is_plain(self) -> None:
        assert variant_text(None) == variant_label(None) == "plain"
        assert parse_variant("plain") is None

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("se", SEVariant()),
            ("se:reduction=8", SEVariant(reduction=8)),
            ("se: stages = 3+2 , bias=true", SEVariant(stages=(2, 3), bias=True)),
            ("se:reduction=2:8/3:16,stages=2+3", SEVariant(reduction=((2, 8), (3, 16)), stages=(2, 3))),
            ("se:stages=all,bias=false", SEVariant()),
        ],
    )
    def test_may_leave_out_what_is_the_papers(self, text: str, expected: SEVariant) -> None:
        assert parse_variant(text) == expected

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "a variant is 'plain', 'se', 'se:FIELD=VALUE,...' or the name of a published block, got ''"),
            (
                "SE",
                "a variant is 'plain', 'se', 'se:FIELD=VALUE,...' or the name of a published block, got 'SE'",
            ),
            (
                "reduction=8",
                "a variant is 'plain', 'se', 'se:FIELD=VALUE,...' or the name of a published block, got 'reduction=8'",
            ),
            ("se:", "a variant's field is written FIELD=VALUE, got '' in 'se:'"),
            ("se:bias", "a variant's field is written FIELD=VALUE, got 'bias' in 'se:bias'"),
            ("se:bias=", "a variant's field is written FIELD=VALUE, got 'bias=' in 'se:bias='"),
            ("se:bias=true,", "a variant's field is written FIELD=VALUE, got '' in 'se:bias=true,'"),
            (
                "se:squeze=max",
                "unknown field of a variant 'squeze'; did you mean 'squeeze'?"
                " known: squeeze, excitation, gate, reduction, stages, integration, bias, fusion, gate_init, opening,"
                " block, units",
            ),
            (
                "se:squeeze=maxx",
                f"unknown squeeze 'maxx'; did you mean 'max'? known: {', '.join(SLOTS['squeeze'])}",
            ),
            ("se:bias=true,bias=true", "field 'bias' is given twice in 'se:bias=true,bias=true'"),
            ("se:bias=1", "bias must be true or false, got '1'"),
            ("se:reduction=half", "reduction takes whole numbers, got 'half'"),
            ("se:reduction=1.5", "reduction takes whole numbers, got '1.5'"),
            ("se:reduction=0", "reduction must be a whole number of at least 1, got 0"),
            ("se:reduction=2:8/3", "reduction takes whole numbers, got ''"),
            ("se:reduction=2:8/2:4", "reduction names a stage twice: ((2, 8), (2, 4))"),
            ("se:stages=2,3", "a variant's field is written FIELD=VALUE, got '3' in 'se:stages=2,3'"),
            ("se:stages=two", "stages takes whole numbers, got 'two'"),
            ("se:stages=2+2", "stages names a stage twice: (2, 2)"),
        ],
    )
    def test_that_is_wrong_is_refused(self, text: str, message: str) -> None:
        with pytest.raises(UserError) as caught:
            parse_variant(text)
        assert str(caught.value) == message


class TestNormalForm:
    @given(variants())
    def test_is_the_same_network_and_does_not_change_again(self, variant: SEVariant) -> None:
        normal = variant.on(STAGES)
        assert normal.on(reversed(STAGES)) == normal
        assert (normal.stages or STAGES) == (variant.stages or STAGES)
        for stage in normal.stages or STAGES:
            assert normal.width(256, stage) == variant.width(256, stage)

    def test_names_all_stages_in_one_way(self) -> None:
        assert SEVariant(stages=(2, 3, 4)).on((2, 3, 4)) == SEVariant()
        assert SEVariant(stages=(2, 3, 4)).on((2, 3, 4, 5)) == SEVariant(stages=(2, 3, 4))
        assert SEVariant(stages=(3,)).on((3,)) == SEVariant()

    def test_writes_equal_reductions_as_one_number(self) -> None:
        assert SEVariant(reduction={2: 8, 3: 8}).on((2, 3)) == SEVariant(reduction=8)
        assert SEVariant(reduction={2: 8}, stages=(2,)).on((2, 3)) == SEVariant(reduction=8, stages=(2,))
        kept = SEVariant(reduction={2: 8, 3: 4})
        assert kept.on((2, 3)) == kept

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"stages": (2, 5)}, "unknown stage 5; known: 2, 3"),
            ({"stages": (0,)}, "unknown stage 0; known: 2, 3"),
            ({"reduction": {2: 8, 3: 8, 4: 8}}, "unknown stage of reduction 4; known: 2, 3"),
            ({"reduction": {2: 8}}, "no reduction is given for stage 3; given for 2"),
        ],
    )
    def test_needs_the_stages_of_the_network(self, fields: dict[str, object], message: str) -> None:
        with pytest.raises(UserError) as caught:
            SEVariant(**fields).on((2, 3))  # type: ignore[arg-type]
        assert str(caught.value) == message


@given(variants())
def test_equal_values_are_one_key(variant: SEVariant) -> None:
    same = dataclasses.replace(variant)
    assert same is not variant
    assert {variant: 1}[same] == 1
    assert pickle.loads(pickle.dumps(variant)) == variant
