"""What the command line changes in a study: fields, seeds and plug-ins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ablations.planning.design import design
from ablations.planning.networks.recipes.named import RECIPES
from ablations.planning.networks.study import NetworkStudy
from ablations.planning.study_file import load_study
from senet_core import SQUEEZES, SEVariant, UserError

WriteStudy = Callable[..., str]
PLUGIN = """
from senet_core import SQUEEZES

@SQUEEZES.register("{0}", source="ours: a test")
def squeeze(x):
    return x.mean(dim=(2, 3))
"""


def refusal(study: str, **changes: object) -> str:
    with pytest.raises(UserError) as caught:
        load_study(study, **changes)  # type: ignore[arg-type]
    text = str(caught.value)
    assert "\n" not in text
    return text


class TestSet:
    def load(self, file: str, *overrides: str) -> NetworkStudy:
        return load_study(file, overrides=overrides)

    def test_changes_any_field_and_is_remembered(self, write_study: WriteStudy) -> None:
        overrides = (
            "title='Changed: a title'",
            "baseline.backbone=resnet14",
            "baseline.variant.squeeze=max",
            "recipe.epochs=5.5",
            "axes.reduction=[1, 16]",
            "include_plain=false",
            "design=grid",
        )
        study = self.load(write_study(), *overrides)
        assert study.title == "Changed: a title"
        assert study.baseline.backbone == "resnet14"
        assert study.baseline.variant == SEVariant(squeeze="max", reduction=4)
        assert study.recipe.epochs == 5.5
        assert study.axes == {"reduction": (1, 16)}
        assert (study.include_plain, study.design) == (False, "grid")
        assert study.overrides == overrides

    def test_later_ones_win(self, write_study: WriteStudy) -> None:
        assert self.load(write_study(), "recipe.lr=0.5", "recipe.lr=0.25").recipe.lr == 0.25

    def test_opens_short_forms(self, write_study: WriteStudy) -> None:
        file = write_study(
            recipe="cifar-quick",
            baseline={"backbone": "resnet8", "variant": "se:reduction=2,bias=true", "data": "digits"},
        )
        study = self.load(
            file, "recipe.lr=0.7", "baseline.data.train_images=100", "baseline.variant.bias=false"
        )
        assert study.recipe == RECIPES["cifar-quick"].model_copy(update={"lr": 0.7})
        assert (study.baseline.data.name, study.baseline.data.train_images) == ("digits", 100)
        assert study.baseline.variant == SEVariant(reduction=2)

    def test_opens_a_variant_with_lists_in_it(self, write_study: WriteStudy) -> None:
        file = write_study(
            baseline={"backbone": "resnet8", "variant": "se:reduction=2:4/3:8,stages=2+3", "data": "digits"},
            axes={},
        )
        study = self.load(file, "baseline.variant.squeeze=max")
        assert study.baseline.variant == SEVariant(squeeze="max", reduction={2: 4, 3: 8}, stages=(2, 3))

    def test_makes_what_is_not_there(self, write_study: WriteStudy) -> None:
        file = write_study(baseline={"backbone": "resnet8", "data": "digits"}, axes=None)
        study = self.load(file, "baseline.variant.reduction=8", "axes.recipe.lr=[0.1, 0.2]")
        assert study.baseline.variant == SEVariant(reduction=8)
        assert study.axes == {"recipe.lr": (0.1, 0.2)}

    def test_replaces_whole_fields(self, write_study: WriteStudy) -> None:
        study = self.load(
            write_study(), "recipe=cifar-paper", "baseline.variant=plain", "axes={}", "seeds=[4, 5]"
        )
        assert study.recipe == RECIPES["cifar-paper"]
        assert study.baseline.variant is None
        assert study.seeds == (4, 5)

    @pytest.mark.parametrize("text", ["1e-3", "1E-3", "0.1e-2", "1.e-3", "+1e-03", ".001"])
    def test_reads_numbers_as_people_write_them(self, write_study: WriteStudy, text: str) -> None:
        """By the letter of YAML 1.1, the first is a text."""
        assert self.load(write_study(), f"recipe.lr={text}").recipe.lr == 1e-3

    def test_does_not_change_the_shipped_studies(self) -> None:
        load_study("smoke", overrides=["baseline.data.name=cifar100", "axes.reduction=[2]"], seeds=9)
        assert load_study("smoke").baseline.data.name == "cifar10"
        assert load_study("smoke").seeds == (0, 1)

    @pytest.mark.parametrize(
        ("override", "message"),
        [
            ("recipe.epochs", "`overrides` takes FIELD=VALUE, such as recipe.epochs=30, got 'recipe.epochs'"),
            ("=30", "`overrides` takes FIELD=VALUE, such as recipe.epochs=30, got '=30'"),
            ("", "`overrides` takes FIELD=VALUE, such as recipe.epochs=30, got ''"),
            ("recipe.milestones=[1", "`overrides` recipe.milestones: while parsing a flow sequence "),
            (
                "recipe.epoch=3",
                "study 'small': unknown field 'recipe.epoch'; did you mean 'recipe.epochs'? known: ",
            ),
            ("recip.epochs=3", "study 'small': unknown field 'recip'; did you mean 'recipe'? known: "),
            ("seeds.count=3", "study 'small': `overrides` seeds.count: 'seeds' has no fields"),
            ("title.text=3", "`overrides`: 'title' is 'A title', which has no fields"),
            (
                "title=Changed: a title",
                "study 'small': title must be text, got {'Changed': ",
            ),
            ("recipe.lr=fast", "study 'small': recipe.lr must be a number, got 'fast'"),
            ("recipe.lr=.inf", "study 'small': recipe.lr must be a finite number, got inf"),
            ("axes.reduction=[]", "study 'small': axes: axis 'reduction' has no values"),
            (
                "baseline.variant.reduction=0",
                "study 'small': baseline.variant: reduction must be a whole number ",
            ),
            ("recipe=", "study 'small': recipe must be a mapping of fields, got None"),
        ],
    )
    def test_that_is_wrong_is_refused(self, write_study: WriteStudy, override: str, message: str) -> None:
        assert refusal(write_study(), overrides=[override]).startswith(message)

    def test_cannot_open_the_plain_network(self, write_study: WriteStudy) -> None:
        file = write_study(baseline={"backbone": "resnet8", "variant": "plain", "data": "digits"}, axes={})
        text = refusal(file, overrides=["baseline.variant.reduction=2"])
        assert text == "`overrides`: 'variant' is 'plain', which has no fields"

    @pytest.mark.parametrize("override", ["name=other", "overrides=[]", "typed=[smoke]"])
    def test_cannot_set_what_sets_itself(self, write_study: WriteStudy, override: str) -> None:
        field = override.partition("=")[0]
        text = refusal(write_study(), overrides=[override])
        assert text.startswith(f"study 'small': {field!r} is not for the user to set")


class TestSeeds:
    def test_replace_the_studys_own_and_are_remembered(self, write_study: WriteStudy) -> None:
        study = load_study(write_study(), overrides=["recipe.lr=0.2"], seeds=3)
        assert study.seeds == (0, 1, 2)
        assert study.overrides == ("recipe.lr=0.2", "seeds=3")

    def test_win_over_set(self, write_study: WriteStudy) -> None:
        assert load_study(write_study(), overrides=["seeds=[8, 9]"], seeds=1).seeds == (0,)

    @pytest.mark.parametrize("seeds", [0, -3])
    def test_below_one_are_refused(self, write_study: WriteStudy, seeds: int) -> None:
        expected = f"study 'small': seeds: give between 1 and 10000 seeds, got {seeds}"
        assert refusal(write_study(), seeds=seeds) == expected


@pytest.mark.usefixtures("own_registries")
class TestPlugins:
    def test_of_a_study_stand_beside_its_file(
        self, tmp_path: Path, write_study: WriteStudy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "extras").mkdir()
        (tmp_path / "extras" / "mine.py").write_text(PLUGIN.format("mine"))
        file = write_study(plugins=["extras/mine.py"], axes={"squeeze": ["avg", "mine"]})
        monkeypatch.chdir("/")
        study = load_study(file)
        assert study.plugins == (str(tmp_path / "extras" / "mine.py"),)
        assert [row.label for row in design(study).rows] == ["SE r=4", "plain", "SE mine r=4"]

    def test_of_the_command_line_are_swept_by_name(self, tmp_path: Path, write_study: WriteStudy) -> None:
        plugin = tmp_path / "theirs.py"
        plugin.write_text(PLUGIN.format("theirs"))
        study = load_study(write_study(), overrides=["axes.squeeze=[theirs]"], plugins=[str(plugin)])
        assert study.plugins == (str(plugin),)
        digest = SQUEEZES["theirs"].origin.digest
        trials = [trial for trial in design(study).trials if trial.plugins]
        assert [trial.plugins for trial in trials] == [(("squeeze:theirs", digest),)] * 2

    def test_that_are_broken_end_in_one_line(self, tmp_path: Path, write_study: WriteStudy) -> None:
        (tmp_path / "broken.py").write_text("1 / 0")
        text = refusal(write_study(plugins=["broken.py"]))
        assert (
            text == f"plug-in {tmp_path / 'broken.py'} fails when loaded: ZeroDivisionError: division by zero"
        )
        assert refusal(write_study(), plugins=["nowhere.py"]).startswith("cannot read plug-in 'nowhere.py': ")

    def test_are_needed_for_their_names(self, write_study: WriteStudy) -> None:
        with pytest.raises(UserError, match=r"^study 'small': axis 'squeeze': unknown squeeze 'mine'; "):
            design(load_study(write_study(axes={"squeeze": ["mine"]})))
