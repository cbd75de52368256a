"""Weights that a study names: found from where they are named, known by what they are."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from ablations.errors import StudyError
from ablations.planning.choices.arms import arms_of
from ablations.planning.design import design
from ablations.planning.networks.recipes.weights import FOUND
from ablations.planning.study import Study
from ablations.planning.study_file import load_study
from ablations.planning.typed_study import TypedStudy, plan_digest
from ablations.planning.yaml_text import read_yaml, yaml_value

STUDY = """
title: Weights
question: Do they help?
baseline: {{backbone: resnet8, variant: "se:reduction=8", data: digits}}
recipe: {{epochs: 1, batch_size: 32{weights}}}
axes: {axes}
seeds: 2
"""


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a study's folder in it, and weights in both."""
    (tmp_path / "project" / "nets").mkdir(parents=True)
    (tmp_path / "project" / "nets" / "a.pth").write_bytes(b"one")
    (tmp_path / "a.pth").write_bytes(b"two")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def study(home: Path, weights: str = "", axes: str = "{reduction: [2, 8]}", **given: Any) -> Study:
    said = f", weights: {weights}" if weights else ""
    (home / "project" / "w.yaml").write_text(STUDY.format(weights=said, axes=axes), encoding="utf-8")
    return load_study(str(home / "project" / "w.yaml"), **given)


def test_a_file_is_found_beside_the_study_and_known_by_its_digest(home: Path) -> None:
    found = study(home, "nets/a.pth")
    assert found.recipe.weights == f"a.pth@sha256:{digest(b'one')}"
    assert FOUND[digest(b"one")] == home / "project" / "nets" / "a.pth"


def test_a_typed_path_is_relative_to_where_it_was_typed(home: Path) -> None:
    one = study(home, "nets/a.pth", overrides=["recipe.weights=a.pth"])
    assert one.recipe.weights == f"a.pth@sha256:{digest(b'two')}"
    for typed, there in (
        ("recipe.weights=a.pth", f"recipe.weights={home}/a.pth"),
        ("recipe={weights: a.pth, epochs: 1}", f"recipe={{epochs: 1, weights: {home}/a.pth}}"),
        (
            "axes.recipe.weights=[null, a.pth, torchvision]",
            f"axes.recipe.weights=[null, {home}/a.pth, torchvision]",
        ),
        (
            "tune.ranges.weights.choices=[../a.pth]",
            f"tune.ranges.weights.choices=[{home.parent}/a.pth]",
        ),
        ("recipe.weights=torchvision", "recipe.weights=torchvision"),
        ("recipe.epochs=1e0", "recipe.epochs=1e0"),
        ("recipe.weights=[", "recipe.weights=["),
        ("seeds=3", "seeds=3"),
    ):
        assert TypedStudy("project/w.yaml", (typed,), None, ()).from_anywhere().overrides == (there,)


def test_a_typed_path_of_the_same_text_is_another_file(home: Path) -> None:
    (home / "nets").mkdir()
    (home / "nets" / "a.pth").write_bytes(b"three")
    one = study(home, "nets/a.pth", overrides=["recipe.weights=nets/a.pth"])
    assert one.recipe.weights == f"a.pth@sha256:{digest(b'three')}"


def test_a_change_elsewhere_leaves_the_files_own_paths_alone(home: Path) -> None:
    found = study(home, "nets/a.pth", overrides=["recipe.epochs=2"])
    assert found.recipe.weights == f"a.pth@sha256:{digest(b'one')}"


def test_a_trial_is_the_same_under_another_name_and_in_another_place(home: Path) -> None:
    before = design(study(home, "nets/a.pth"))
    os.rename(home / "project" / "nets" / "a.pth", home / "project" / "b.pt")
    after = design(study(home, "b.pt"))
    assert [t.key for t in before.trials] == [t.key for t in after.trials]
    assert before.trials[0].to_json()["recipe"]["weights"] == f"sha256:{digest(b'one')}"
    (home / "project" / "b.pt").write_bytes(b"other")
    changed = design(study(home, "b.pt"))
    assert not {t.key for t in changed.trials} & {t.key for t in before.trials}


def test_a_project_that_moved_has_the_same_plan(home: Path) -> None:
    before = plan_digest(study(home, "nets/a.pth"))
    os.rename(home / "project", home / "moved")
    (home / "project").mkdir()
    os.rename(home / "moved" / "nets", home / "project" / "nets")
    assert plan_digest(study(home, "nets/a.pth")) == before


def test_an_axis_of_weights_has_rows_by_the_files_names(home: Path) -> None:
    (home / "project" / "nets" / "b.safetensors").write_bytes(b"three")
    axes = "{recipe.weights: [null, nets/a.pth, nets/b.safetensors, torchvision]}"
    labels = [row.label for row in design(study(home, axes=axes)).rows]
    assert labels == [
        "SE r=8 weights=None", "plain weights=None", "SE r=8 weights=a.pth", "SE r=8 weights=b.safetensors",
        "SE r=8 weights=torchvision",
    ]  # fmt: skip


def test_what_a_study_holds_is_plain_text(home: Path) -> None:
    found = study(home, "nets/a.pth", axes="{recipe.weights: [nets/a.pth, torchvision]}")
    assert {type(value) for value in (found.recipe.weights, *found.axes["recipe.weights"])} == {str}
    assert read_yaml(yaml_value(found.fields()))["axes"]["recipe.weights"][1] == "torchvision"


def test_frozen_stages_and_betas_make_readable_rows(home: Path) -> None:
    axes = "{recipe.freeze: [[], [2, 3]]}"
    labels = [row.label for row in design(study(home, "nets/a.pth", axes)).rows]
    assert labels == ["SE r=8 freeze=none", "plain freeze=none", "SE r=8 freeze=2+3"]
    axes, adamw = "{recipe.betas: [[0.9, 0.999], [0.95, 0.98]]}", ["recipe.optimizer=adamw"]
    labels = [row.label for row in design(study(home, axes=axes, overrides=adamw)).rows]
    assert "SE r=8 betas=0.95/0.98" in labels


def test_a_choice_of_weights_and_of_frozen_stages(home: Path) -> None:
    ranges = "{weights: {choices: [nets/a.pth, torchvision]}, freeze: {choices: [[], [2], [2, 3]]}}"
    overrides = ["design=tuned", f"tune={{validation_images: 100, ranges: {ranges}}}"]
    with pytest.raises(StudyError, match=r"weights 'nets/a\.pth' cannot be read"):
        study(home, "nets/a.pth", overrides=overrides)  # typed here, where there is no such file
    os.chdir(home / "project")
    found = study(home, "nets/a.pth", overrides=overrides)
    row = arms_of(design(found))[0].space.row({"weights": "torchvision", "freeze": "[2]"})
    assert (row.recipe.weights, row.recipe.freeze) == ("torchvision", (2,))


def test_a_digest_stands_for_a_file_that_is_missing(home: Path) -> None:
    said = digest(b"gone")
    assert study(home, f"nets/gone.pth@sha256:{said}").recipe.weights == f"gone.pth@sha256:{said}"
    assert study(home, f"sha256:{said}").recipe.weights == f"sha256:{said}"


def test_a_name_is_one_line(home: Path) -> None:
    (home / "project" / "a\n\x1b b.pth").write_bytes(b"four")
    assert study(home, '"a\\n\\e b.pth"').recipe.weights == f"a \\x1b b.pth@sha256:{digest(b'four')}"


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ("nets/b.pth", "weights 'nets/b.pth' cannot be read: No such file or directory"),
        ("nets", "weights 'nets': give 'torchvision' or a file that ends with .pth, .pt or .safetensors"),
        ("nets/a.bin", "ends with .pth, .pt or .safetensors"),
        ("Torchvision", "give 'torchvision' or a file"),
        (
            f"nets/a.pth@sha256:{0:064}",
            "weights 'nets/a.pth' have the digest .* and the study says 000000000000",
        ),
        ("nets/b.pth@sha256:12", "recipe.weights: give 'torchvision' or a file"),
        ("sha256:12", "recipe.weights: give 'torchvision' or a file"),
        ("[a.pth]", "recipe.weights must be text"),
        ("folder.pth", "weights 'folder.pth' cannot be read: Is a directory"),
        ("pipe.pth", "weights 'pipe.pth' cannot be read: it is no plain file"),
    ],
)
def test_what_is_no_file_of_weights_is_refused_in_one_line(home: Path, weights: str, words: str) -> None:
    (home / "project" / "folder.pth").mkdir()
    os.mkfifo(home / "project" / "pipe.pth")
    with pytest.raises(StudyError, match=words) as caught:
        study(home, f'"{weights}"' if weights.startswith("sha") else weights)
    assert "\n" not in str(caught.value)
