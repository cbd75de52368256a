"""Studies from names, files and mappings, with what is changed in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import ablations as ab

FIELDS: dict[str, Any] = {
    "name": "mine",
    "title": "Mine",
    "question": "Does it matter?",
    "baseline": {"backbone": "resnet8", "variant": {"reduction": 8}, "data": "digits"},
    "recipe": "cifar-quick",
    "axes": {"squeeze": ["avg", "max"]},
    "seeds": 3,
}


def read_again(study: ab.Study) -> ab.Study:
    """The study that its fields give; it is no longer typed as a file."""
    return ab.load_study(study.fields()).model_copy(update={"typed": study.typed})


@pytest.mark.parametrize("name", ab.shipped_studies())
def test_the_fields_of_a_study_give_an_equal_one(name: str) -> None:
    study = ab.load_study(name)
    assert read_again(study) == study
    assert ab.load_study(study.fields()).fields() == study.fields()


def test_a_mapping_is_the_file_with_the_same_fields(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump({name: value for name, value in FIELDS.items() if name != "name"}))
    for path in (file, str(file)):
        assert ab.load_study(path).fields() == ab.load_study(FIELDS).fields()
    assert ab.load_study({k: v for k, v in FIELDS.items() if k != "name"}).name == "study"


def test_overrides_are_a_mapping_or_texts() -> None:
    changes = {
        "recipe.epochs": 2,
        "axes.squeeze": ["avg", "power-mean"],
        "include_plain": False,
        "title": "a: b",
    }
    changed = ab.load_study(FIELDS, overrides=changes, seeds=4)
    texts = [
        "recipe.epochs=2", "axes.squeeze=[avg, power-mean]", "include_plain=false", "title='a: b'",
    ]  # fmt: skip
    assert changed.fields() == ab.load_study(FIELDS, overrides=texts, seeds=4).fields()
    assert (changed.recipe.epochs, changed.axes["squeeze"], len(changed.seeds)) == (
        2,
        ("avg", "power-mean"),
        4,
    )
    assert FIELDS["recipe"] == "cifar-quick"  # what was given is as it was
    assert ab.load_study(ab.load_study(FIELDS), overrides=changes, seeds=4).fields() == changed.fields()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"axes": {"squeze": ["avg"]}}, "study 'mine': axes: unknown axis 'squeze'; did you mean 'squeeze'"),
        ({"seeds": 0}, "study 'mine': seeds: give between 1 and 10000 seeds, got 0"),
        ({"epochs": 3}, "epochs"),
        ({"plugins": ["nowhere.py"]}, "nowhere.py"),
    ],
)
def test_a_wrong_field_is_one_line(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ab.UserError, match=text) as raised:
        ab.load_study({**FIELDS, **changes})
    assert "\n" not in str(raised.value)


def test_an_unknown_name_has_the_nearest_one() -> None:
    with pytest.raises(ab.UserError, match="unknown study 'quickstrt'; did you mean 'quickstart'"):
        ab.load_study("quickstrt")


@pytest.mark.usefixtures("own_registries")
def test_a_plugin_is_swept_like_what_is_built_in(tmp_path: Path) -> None:
    (tmp_path / "spread.py").write_text(
        "from senet_core import SQUEEZES\n\n\n"
        '@SQUEEZES.register("spread-of-api-test", source="ours")\n'
        "def spread(x):\n    return x.flatten(2).std(2)\n"
    )
    ab.load_plugin(tmp_path / "spread.py")
    study = ab.load_study(FIELDS, overrides={"axes.squeeze": ["avg", "spread-of-api-test"]})
    assert study.axes["squeeze"] == ("avg", "spread-of-api-test")
    with pytest.raises(ab.UserError, match=r"nowhere\.py"):
        ab.load_plugin(tmp_path / "nowhere.py")
