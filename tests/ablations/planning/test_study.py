"""Study: axes, seeds and the other fields of a file; everything else is refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from ablations.planning.networks.study import AXES, NetworkStudy
from ablations.planning.study_file import parse_study
from senet_core import UserError

MakeStudy = Callable[..., NetworkStudy]


def refusal(make_study: MakeStudy, **changes: Any) -> str:
    with pytest.raises(UserError) as caught:
        make_study(**changes)
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith("study 'small': ")
    return text.removeprefix("study 'small': ")


class TestAxes:
    @pytest.mark.parametrize("axis", AXES)
    def test_may_be_any_field_of_variant_and_recipe_and_the_backbone(
        self, make_study: MakeStudy, axis: str
    ) -> None:
        assert make_study(axes={axis: [1]}).axes == {axis: (1,)}

    @pytest.mark.parametrize(
        ("axes", "message"),
        [
            (
                {"reducton": [2]},
                "axes: unknown axis 'reducton'; did you mean 'reduction'? known: variant, squeeze, ",
            ),
            ({"recipe.lrr": [2]}, "axes: unknown axis 'recipe.lrr'; did you mean 'recipe.lr'? known: "),
            ({"dataset": ["digits"]}, "axes: unknown axis 'dataset'; did you mean 'data'? known: variant, "),
            ({"reduction": []}, "axes: axis 'reduction' has no values"),
            ({"reduction": 8}, "axes.reduction must be a list, got "),
            ({"reduction": "8"}, "axes.reduction must be a list, got "),
            ({"reduction": {8: 2}}, "axes.reduction must be a list, got "),
            ([2], "axes must be a mapping of fields, got [2]"),
        ],
        ids=str,
    )
    def test_that_are_wrong_are_refused(self, make_study: MakeStudy, axes: object, message: str) -> None:
        assert refusal(make_study, axes=axes).startswith(message)

    def test_of_the_block_need_a_block_to_vary(self, make_study: MakeStudy) -> None:
        baseline = {"backbone": "resnet8", "variant": "plain", "data": "digits"}
        message = "the baseline is the plain network, so axes of the SE block cannot vary around it"
        assert refusal(make_study, baseline=baseline) == message
        assert make_study(baseline=baseline, axes={"recipe.lr": [0.1]}).baseline.variant is None

    def test_may_be_none_if_the_plain_network_is_there_to_compare_with(self, make_study: MakeStudy) -> None:
        assert make_study(axes={}).axes == {}
        message = "nothing to compare: give axes, or include_plain: true"
        assert refusal(make_study, axes={}, include_plain=False) == message


class TestSeeds:
    @pytest.mark.parametrize(
        ("given", "seeds"),
        [(1, (0,)), (3, (0, 1, 2)), ([5], (5,)), ([7, 0, 3], (7, 0, 3)), ([0], (0,))],
        ids=str,
    )
    def test_are_a_number_or_a_list(
        self, make_study: MakeStudy, given: object, seeds: tuple[int, ...]
    ) -> None:
        assert make_study(seeds=given).seeds == seeds

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            (0, "seeds: give between 1 and 10000 seeds, got 0"),
            (-1, "seeds: give between 1 and 10000 seeds, got -1"),
            (10_001, "seeds: give between 1 and 10000 seeds, got 10001"),
            (True, "seeds: give a number of seeds or a list of them, got True"),
            (2.0, "seeds: give a number of seeds or a list of them, got 2.0"),
            ("2", "seeds: give a number of seeds or a list of them, got '2'"),
            ([], "give at least one seed"),
            ([1, 1], "seeds: seeds must be different from each other"),
            ([-1], "seeds: seeds are whole numbers from 0"),
            ([0.5], "seeds: seeds are whole numbers from 0"),
            (["0"], "seeds: seeds are whole numbers from 0"),
            ([False], "seeds: seeds are whole numbers from 0"),
            ([[1], [2]], "seeds: seeds are whole numbers from 0"),
        ],
        ids=str,
    )
    def test_that_are_wrong_are_refused(self, make_study: MakeStudy, given: object, message: str) -> None:
        assert refusal(make_study, seeds=given) == message


@pytest.mark.parametrize("field", ["title", "question", "baseline", "recipe", "axes"])
def test_what_is_missing_is_said(make_study: MakeStudy, field: str) -> None:
    assert refusal(make_study, **{field: None}) == f"{field} is missing"


def test_missing_seeds_are_said(make_study: MakeStudy) -> None:
    assert refusal(make_study, seeds=None) == "give at least one seed"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": ""}, "title must not be empty, got ''"),
        ({"title": 3}, "title must be text, got 3"),
        (
            {"design": "gird"},
            "design must be 'one-factor', 'grid', 'pairwise', 'leave-one-out', 'add-one', 'race', 'tuned' or "
            "'search', got 'gird'",
        ),
        ({"include_plain": "maybe"}, "include_plain must be true or false, got 'maybe'"),
        (
            {"paper_tables": ["table_1"]},
            "paper_tables: unknown table of the paper 'table_1'; did you mean 'table_1",
        ),
        ({"paper_tables": "table_10"}, "paper_tables must be a list, got 'table_10'"),
        ({"tilte": "x"}, "unknown field 'tilte'; did you mean 'title'? known: title, question, "),
        ({"xyz": 1}, "unknown field 'xyz'; known: title, question, baseline, recipe, axes, design, "),
    ],
    ids=str,
)
def test_other_fields_that_are_wrong_are_refused(
    make_study: MakeStudy, changes: dict[str, Any], message: str
) -> None:
    assert refusal(make_study, **changes).startswith(message)


@pytest.mark.parametrize("name", ["", "a b", "../up", ".hidden", "a/b", "-option", "ü"])
def test_names_that_cannot_name_a_folder_are_refused(make_study: MakeStudy, name: str) -> None:
    with pytest.raises(UserError, match=r": name must begin with a letter or digit"):
        parse_study({**make_study().model_dump(), "name": name})


def test_defaults(make_study: MakeStudy) -> None:
    study = make_study()
    assert (study.design, study.include_plain) == ("one-factor", True)
    assert (study.paper_tables, study.plugins, study.overrides) == (None, (), ())
    with pytest.raises(ValidationError, match="frozen"):
        study.title = "another"


class TestRace:
    def test_adds_seeds_up_to_those_of_the_study(self, make_study: MakeStudy) -> None:
        study = make_study(design="race", seeds=12, race={"first": 5, "budget": 100})
        assert (study.race.first, study.race.budget, study.race.futility) == (5, 100, 0.1)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"design": "race", "seeds": 3}, "a race looks first at 4 seeds (race.first), and has 3 in all"),
            (
                {"design": "race", "seeds": 8, "rests_on": "images"},
                "rests_on: images is for one analysis of all seeds; the interim analyses of a race rest on seeds",
            ),
            (
                {"race": {"first": 5}},
                "the field race belongs to design 'race', and this is design 'one-factor'",
            ),
            ({"design": "race", "race": {"first": 2}, "seeds": 5}, "race.first must be at least 3, got 2"),
            (
                {"design": "race", "race": {"fist": 4}, "seeds": 5},
                "unknown field 'race.fist'; did you mean 'race.first'?",
            ),
            ({"confirm": 2, "seeds": [1_000_000]}, "with confirm, seeds must be below 1000000"),
            ({"confirm": -1}, "confirm must be at least 0, got -1"),
        ],
        ids=str,
    )
    def test_that_cannot_be_run_is_refused(
        self, make_study: MakeStudy, changes: dict[str, Any], message: str
    ) -> None:
        assert refusal(make_study, **changes).startswith(message)
