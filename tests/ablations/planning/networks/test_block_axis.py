"""The axis `variant`: whole blocks by name or by fields, where the baseline's stands."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ablations.planning.design import design
from ablations.planning.networks.study import NetworkStudy
from senet_core import SEVariant, UserError
from tests.ablations.planning.unfolding import labels, refusal

MakeStudy = Callable[..., NetworkStudy]

START = {"backbone": "resnet8", "variant": {"reduction": 4, "stages": [2, 3]}, "data": "digits"}


def test_values_are_names_or_fields_and_keep_reduction_and_place(make_study: MakeStudy) -> None:
    values = ["eca", {"squeeze": "max"}, {"block": "bam", "integration": "post", "units": "last"}]
    unfolded = design(make_study(baseline=START, axes={"variant": values}))
    assert labels(unfolded.rows) == [
        "SE r=4 stages 2,3",
        "plain",
        "ECA stages 2,3",
        "SE max r=4 stages 2,3",
        "BAM r=4 stages 2,3",
    ]
    assert unfolded.rows[2].variant == SEVariant(gate="eca", reduction=4, stages=(2, 3))
    shown = [dict(row.values)["variant"] for row in unfolded.on_axis("variant")]
    assert shown == ["se", "eca", "squeeze=max", "bam"]


def test_one_block_is_one_trial_by_name_and_by_its_fields(make_study: MakeStudy) -> None:
    named = design(make_study(baseline=START, axes={"variant": ["ge-theta-minus"]}))
    spelled = design(make_study(baseline=START, axes={"variant": [{"squeeze": "ge4", "gate": "identity"}]}))
    assert [trial.key for trial in named.trials] == [trial.key for trial in spelled.trials]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["ecaa"], "axis 'variant': a block is the name of a published one (se, ese, eca, "),
        (["plain"], "axis 'variant': a block is the name of a published one (se, ese, eca, "),
        ([{"squeze": "max"}], "axis 'variant': unknown field of a variant 'squeze'; did you mean 'squeeze'?"),
        (["eca", {"gate": "eca"}], "axis 'variant' has the value 'eca' twice"),
    ],
    ids=str,
)
def test_what_is_no_block_is_refused(make_study: MakeStudy, values: list[object], message: str) -> None:
    assert message in refusal(make_study(axes={"variant": values}, baseline=START))


def test_a_plain_baseline_has_no_block_to_replace(make_study: MakeStudy) -> None:
    plain = {"backbone": "resnet8", "variant": "plain", "data": "digits"}
    with pytest.raises(UserError, match="axes of the SE block cannot vary around it"):
        make_study(axes={"variant": ["eca"]}, baseline=plain, include_plain=False)
