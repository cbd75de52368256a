"""Design: a study unfolds into the rows that a person would write down, each once, and each with its seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ablations.planning.design import Design, design
from ablations.planning.networks.study import NetworkStudy
from ablations.planning.networks.trial import NetworkTrial
from ablations.planning.networks.used_plugins import check_plugins, used_plugins
from senet_core import BACKBONES, EXCITATIONS, INTEGRATIONS, SQUEEZES, SEVariant, UserError
from senet_core.blocks.registry import Origin, registering_from
from senet_core.blocks.slots import FORMS
from tests.ablations.planning.unfolding import GIVEN, SE, labels, refusal

MakeStudy = Callable[..., NetworkStudy]


class TestOneFactor:
    @pytest.fixture
    def unfolded(self, make_study: MakeStudy) -> Design:
        axes = {"reduction": [2, 4, 8], "squeeze": ["max", "none"], "stages": [[2], [3, 4], "all"]}
        return design(make_study(axes=axes))

    def test_varies_each_axis_alone_around_the_baseline(self, unfolded: Design) -> None:
        assert [(row.label, row.axis, row.variant) for row in unfolded.rows] == [
            ("SE r=4", None, SE),
            ("plain", None, None),
            ("SE r=2", "reduction", SEVariant(reduction=2)),
            ("SE r=8", "reduction", SEVariant(reduction=8)),
            ("SE max r=4", "squeeze", SEVariant(reduction=4, squeeze="max")),
            ("SE NoSqueeze r=4", "squeeze", SEVariant(reduction=4, squeeze="none")),
            ("SE r=4 stage 2", "stages", SEVariant(reduction=4, stages=(2,))),
            ("SE r=4 stages 3,4", "stages", SEVariant(reduction=4, stages=(3, 4))),
        ]
        assert unfolded.baseline is unfolded.rows[0]
        assert unfolded.plain is unfolded.rows[1]
        assert {row.backbone for row in unfolded.rows} == {"resnet8"}
        assert {row.recipe for row in unfolded.rows} == {unfolded.study.recipe}

    def test_gives_the_baseline_its_place_on_every_axis(self, unfolded: Design) -> None:
        assert labels(unfolded.on_axis("reduction")) == ["SE r=2", "SE r=4", "SE r=8"]
        assert labels(unfolded.on_axis("stages")) == ["SE r=4 stage 2", "SE r=4 stages 3,4", "SE r=4"]
        # not among the values, so it stands before them
        assert labels(unfolded.on_axis("squeeze")) == ["SE r=4", "SE max r=4", "SE NoSqueeze r=4"]

    def test_says_every_axis_of_every_row(self, unfolded: Design) -> None:
        values = {row.label: dict(row.values) for row in unfolded.rows}
        assert values["SE r=4"] == {"reduction": "4", "squeeze": "avg", "stages": "all"}
        assert values["plain"] == {"reduction": "-", "squeeze": "-", "stages": "-"}
        assert values["SE r=8"] == {"reduction": "8", "squeeze": "avg", "stages": "all"}
        assert values["SE r=4 stages 3,4"] == {"reduction": "4", "squeeze": "avg", "stages": "3+4"}

    def test_trains_every_row_with_every_seed_once_seed_by_seed(self, unfolded: Design) -> None:
        assert unfolded.seeds == (0, 1)
        assert [trial.seed for trial in unfolded.trials] == [0] * 8 + [1] * 8
        assert [trial.variant for trial in unfolded.trials[:8]] == [row.variant for row in unfolded.rows]
        assert len({trial.key for trial in unfolded.trials}) == 16
        row = unfolded.rows[3]
        assert (
            unfolded.trials[8 + 3]
            == NetworkTrial("resnet8", row.variant, row.data, row.recipe, 1)
            == row.trial(1)
        )

    def test_leaves_out_the_plain_network_if_asked_to(self, make_study: MakeStudy) -> None:
        unfolded = design(make_study(include_plain=False))
        assert labels(unfolded.rows) == ["SE r=4", "SE r=2", "SE r=8"]
        assert unfolded.plain is None

    def test_without_axes_compares_with_the_plain_network(self, make_study: MakeStudy) -> None:
        assert labels(design(make_study(axes={})).rows) == ["SE r=4", "plain"]


class TestGrid:
    def test_has_all_combinations_and_the_baseline_once(self, make_study: MakeStudy) -> None:
        axes = {"reduction": [2, 4], "excitation": ["sigmoid", "tanh"]}
        unfolded = design(make_study(axes=axes, design="grid"))
        assert [(row.label, row.axis, row.variant) for row in unfolded.rows] == [
            ("SE r=4", None, SE),
            ("plain", None, None),
            ("SE r=2", None, SEVariant(reduction=2)),
            ("SE tanh r=2", None, SEVariant(reduction=2, excitation="tanh")),
            ("SE tanh r=4", None, SEVariant(reduction=4, excitation="tanh")),
        ]
        assert [dict(row.values) for row in unfolded.rows[2:4]] == [
            {"reduction": "2", "excitation": "sigmoid"},
            {"reduction": "2", "excitation": "tanh"},
        ]

    def test_keeps_a_baseline_that_is_none_of_the_combinations(self, make_study: MakeStudy) -> None:
        unfolded = design(
            make_study(axes={"reduction": [2], "bias": [True]}, design="grid", include_plain=False)
        )
        assert labels(unfolded.rows) == ["SE r=4", "SE r=2 bias"]

    def test_checks_combinations_and_not_only_values(self, make_study: MakeStudy) -> None:
        """Each value fits the baseline's backbone; stage 5 does not exist in the other one."""
        study = make_study(
            baseline={"backbone": "resnet18", "data": "digits"},
            axes={"stages": [[5]], "backbone": ["resnet8"]},
            design="grid",
        )
        assert refusal(study).startswith("study 'small': axis ")
        assert "unknown stage 5; known: 2, 3, 4" in refusal(study)


class TestBackboneAxis:
    def test_names_the_backbone_in_every_row(self, make_study: MakeStudy) -> None:
        unfolded = design(make_study(axes={"backbone": ["resnet14", "resnet8"]}))
        assert labels(unfolded.rows) == ["SE r=4 resnet8", "plain resnet8", "SE r=4 resnet14"]
        assert labels(unfolded.on_axis("backbone")) == ["SE r=4 resnet14", "SE r=4 resnet8"]
        assert [trial.backbone for trial in unfolded.trials[:3]] == ["resnet8", "resnet8", "resnet14"]

    def test_works_around_a_plain_baseline(self, make_study: MakeStudy) -> None:
        unfolded = design(make_study(baseline={**GIVEN, "variant": "plain"}, axes={"backbone": ["resnet14"]}))
        assert labels(unfolded.rows) == ["plain resnet8", "plain resnet14"]
        assert unfolded.baseline.variant is None
        assert unfolded.plain is None  # it is the baseline

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ("resnt20", "axis 'backbone': unknown backbone 'resnt20'; did you mean 'resnet20'? known: "),
            (20, "axis 'backbone': a backbone is given by its name, got 20"),
        ],
    )
    def test_takes_known_names(self, make_study: MakeStudy, value: object, message: str) -> None:
        assert refusal(make_study(axes={"backbone": [value]})).startswith(f"study 'small': {message}")


@pytest.mark.usefixtures("own_registries")
class TestPlugins:
    def test_are_part_of_the_rows_that_use_them(self, make_study: MakeStudy) -> None:
        with registering_from(Origin("file", "mine.py", "0123abcd")):
            SQUEEZES.register("mine", source="ours")(SQUEEZES["avg"].build)
        rows = {row.label: row for row in design(make_study(axes={"squeeze": ["max", "mine"]})).rows}
        assert rows["SE mine r=4"].plugins == (("squeeze:mine", "0123abcd"),)
        assert rows["SE mine r=4"].trial(0).plugins == (("squeeze:mine", "0123abcd"),)
        assert {row.plugins for label, row in rows.items() if label != "SE mine r=4"} == {()}

    def test_that_bring_a_backbone_are_part_of_its_rows(self, make_study: MakeStudy) -> None:
        """Otherwise a changed backbone would be taken for a trial that is done."""
        with registering_from(Origin("file", "mine.py", "0123abcd")):
            entry = BACKBONES["resnet20"]
            BACKBONES.register("my-net", source="ours", stages=entry.traits["stages"])(entry.build)
        unfolded = design(make_study(baseline={"backbone": "my-net", "data": "digits"}))
        assert {row.plugins for row in unfolded.rows} == {(("backbone:my-net", "0123abcd"),)}

    def test_that_teach_blocks_are_part_of_the_rows_with_a_backbone_of_somebody_else(
        self, make_study: MakeStudy
    ) -> None:
        """Built-in backbones consist of built-in blocks, so their rows stay what they are."""
        with registering_from(Origin("file", "blocks.py", "4567")):
            FORMS.register("theirs.Block", source="ours")(object)
        with registering_from(Origin("file", "mine.py", "0123")):
            FORMS.register("mine.Block", source="ours")(object)
            entry = BACKBONES["resnet20"]
            BACKBONES.register("my-net", source="ours", stages=entry.traits["stages"])(entry.build)
        expected = (("backbone:my-net", "0123"), ("form:theirs.Block", "4567"))
        assert used_plugins("my-net", None) == used_plugins("my-net", SE) == expected
        assert used_plugins("resnet20", SE) == used_plugins("resnet8", SE) == ()
        check_plugins(dict(expected))
        with pytest.raises(
            UserError, match=r"^the plug-in of backbone 'my-net' was changed after the study "
        ):
            check_plugins({"backbone:my-net": "9999"})
        with pytest.raises(UserError, match=r"^unknown squeeze 'gone'; "):
            check_plugins({"squeeze:gone": "0123"})

    def test_named_like_one_of_ours_in_other_letters_are_two_labels(self, make_study: MakeStudy) -> None:
        entry = INTEGRATIONS["pre"]
        INTEGRATIONS.register("PRE", source="ours", gates=entry.traits["gates"])(entry.build)
        unfolded = design(make_study(axes={"integration": ["pre", "PRE"]}))
        assert labels(unfolded.on_axis("integration")) == [
            "SE r=4",
            "SE-PRE r=4 (integration=pre)",
            "SE-PRE r=4 (integration=PRE)",
        ]
        assert labels(unfolded.only(["SE-PRE r=4 (integration=PRE)"]).rows) == [labels(unfolded.rows)[3]]

    def test_of_one_name_in_two_slots_are_two_labels(self, make_study: MakeStudy) -> None:
        SQUEEZES.register("mine", source="ours")(SQUEEZES["avg"].build)
        EXCITATIONS.register("mine", source="ours")(EXCITATIONS["tanh"].build)
        unfolded = design(make_study(axes={"squeeze": ["mine"], "excitation": ["mine"]}))
        assert labels(unfolded.rows) == [
            "SE r=4",
            "plain",
            "SE mine r=4 (squeeze=mine, excitation=sigmoid)",
            "SE mine r=4 (squeeze=avg, excitation=mine)",
        ]
        assert unfolded.on_axis("squeeze") == (unfolded.baseline, unfolded.rows[2])


class TestOnly:
    @pytest.fixture
    def unfolded(self, make_study: MakeStudy) -> Design:
        return design(make_study())

    def test_reduces_the_rows_and_keeps_what_they_are_compared_with(self, unfolded: Design) -> None:
        reduced = unfolded.only(["SE r=8", "plain"])
        assert labels(reduced.rows) == ["plain", "SE r=8"]
        assert (reduced.baseline, reduced.plain) == (unfolded.baseline, unfolded.plain)
        assert labels(reduced.on_axis("reduction")) == ["SE r=2", "SE r=4", "SE r=8"]
        assert [(trial.variant, trial.seed) for trial in reduced.trials] == [
            (None, 0),
            (SEVariant(reduction=8), 0),
            (None, 1),
            (SEVariant(reduction=8), 1),
        ]
        assert {trial.key for trial in reduced.trials} < {trial.key for trial in unfolded.trials}

    def test_refuses_what_is_no_row(self, unfolded: Design) -> None:
        message = r"^unknown row 'SE r=9'; did you mean 'SE r=8'\? known: SE r=4, plain, SE r=2, SE r=8$"
        with pytest.raises(UserError, match=message):
            unfolded.only(["plain", "SE r=9"])


def test_a_rows_keys_are_those_of_its_trials_however_often_they_are_asked_for(make_study: MakeStudy) -> None:
    found = design(make_study(axes={"reduction": [2, 4]}, seeds=[0, 7]))
    for row in found.rows:
        keys = [row.trial(seed).key for seed in found.seeds]
        assert [row.key(seed) for seed in found.seeds] == keys
        assert [row.key(seed) for seed in found.seeds] == keys
        repeated = replace(row, repeat=row.repeat + 1)  # which has the keys of another row
        assert [repeated.key(seed) for seed in found.seeds] == [repeated.trial(s).key for s in found.seeds]
        assert repeated.key(0) != row.key(0)
