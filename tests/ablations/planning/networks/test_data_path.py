"""A folder of images has one name in keys and records, however its path is typed and wherever the project lies."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from ablations.errors import StudyError
from ablations.planning.design import design
from ablations.planning.networks.data_path import from_anywhere, moved, spelled
from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.study import NetworkStudy
from ablations.planning.study_file import load_study
from ablations.planning.typed_study import plan_digest

FIELDS: dict[str, Any] = {
    "title": "A title",
    "question": "Which is better?",
    "recipe": {"base": "cifar-quick", "epochs": 1},
    "axes": {"reduction": [4, 8]},
    "seeds": 1,
}


def fields(path: str, **more: Any) -> dict[str, Any]:
    data = {"name": "image-folder", "path": path, "size": 16}
    return {**FIELDS, "baseline": {"backbone": "resnet8", "data": data}, **more}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with images in `pics`; the working folder is another one."""
    folder = tmp_path / "home/proj"
    (folder / "pics/train").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "elsewhere")
    return folder


def written(folder: Path, path: str, name: str = "small.yaml", /, **more: Any) -> str:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(fields(path, **more)), encoding="utf-8")
    return str(file)


def keys(study: NetworkStudy) -> set[str]:
    return {trial.key for trial in design(study).trials}


def named(study: NetworkStudy) -> tuple[str | None, str | None]:
    data = study.baseline.data
    return data.path, data.images


SPELLINGS = [
    "pics", "./pics/", "pics/.", "pics/../pics", "../proj/pics", "~/proj/pics", "~/../home/proj/pics",
    "{project}/pics", "{project}/../proj//pics/", "{link}/pics", "../../link/pics",
]  # fmt: skip


@pytest.mark.parametrize("path", SPELLINGS)
def test_every_spelling_is_one_trial(project: Path, tmp_path: Path, path: str) -> None:
    path = path.format(project=project, link=tmp_path / "link")
    study, plain = load_study(written(project, path)), load_study(written(project, "pics", "plain.yaml"))
    assert named(study)[0] == "pics"
    assert Path(str(named(study)[1])).samefile(project / "pics")
    assert keys(study) == keys(plain)
    assert plan_digest(study) == plan_digest(plain)


@pytest.mark.parametrize("file", ["../home/proj/small.yaml", "{link}/small.yaml", "~"])
def test_the_study_may_be_reached_by_any_path(project: Path, tmp_path: Path, file: str) -> None:
    asked = written(project, "pics")
    for path in ("pics", str(project / "pics"), str(tmp_path / "link/pics")):
        written(project, path)
        study = load_study(asked if file == "~" else file.format(link=tmp_path / "link"))
        assert named(study)[0] == "pics"
        assert keys(study) == keys(load_study(asked))


def test_what_lies_beside_the_folder_of_the_study_is_named_from_it(project: Path) -> None:
    study = load_study(written(project, "../pics", "studies/small.yaml"))
    assert named(study) == ("../pics", str(project / "pics"))
    assert keys(study) == keys(load_study(written(project, str(project / "pics"), "studies/small.yaml")))
    deeper = load_study(written(project, "../../pics", "more/studies/small.yaml"))
    assert named(deeper) == (str(project / "pics"), str(project / "pics"))


@pytest.mark.parametrize("move", [shutil.move, shutil.copytree], ids=["moved", "cloned"])
@pytest.mark.parametrize("path", ["pics", "{project}/pics"])
def test_a_project_may_be_moved(project: Path, tmp_path: Path, move: Any, path: str) -> None:
    file = written(project, path.format(project=project))
    before = keys(load_study(file))
    move(str(project), str(tmp_path / "other"))
    now = tmp_path / "other/small.yaml"
    now.write_text(now.read_text().replace(str(project), str(tmp_path / "other")))
    study = load_study(str(now))
    assert keys(study) == before
    assert named(study) == ("pics", str(tmp_path / "other/pics"))


def test_two_folders_stay_two(project: Path) -> None:
    texts = {"pics", "more/pics", "../pics", "../../pics", "/pics", "./~/pics", "pics/train", "Pics"}
    studies = [load_study(written(project, text)) for text in texts]
    assert (
        len({frozenset(keys(study)) for study in studies})
        == len({named(s)[0] for s in studies})
        == len(texts)
    )


def test_a_link_to_images_that_lie_elsewhere_is_named_by_its_place(project: Path, tmp_path: Path) -> None:
    (tmp_path / "store/v1").mkdir(parents=True)
    (project / "linked").symlink_to(tmp_path / "store/v1")
    assert named(load_study(written(project, "linked"))) == ("linked", str(project / "linked"))


def test_behind_a_link_the_folder_above_is_that_of_the_link_s_target(project: Path, tmp_path: Path) -> None:
    (tmp_path / "real/studies").mkdir(parents=True)
    (tmp_path / "real/pics").mkdir()
    (project / "studies").symlink_to(tmp_path / "real/studies")
    study = load_study(written(project, "../pics", "studies/small.yaml"))
    assert named(study)[0] == "../pics"
    assert Path(str(named(study)[1])).samefile(tmp_path / "real/pics")


@pytest.mark.parametrize(
    "override",
    [
        "baseline.data.path={}",
        " baseline.data.path ={}",
        "baseline.data={{name: image-folder, path: {}, size: 16}}",
        "baseline={{backbone: resnet8, data: {{name: image-folder, path: {}, size: 16}}}}",
    ],
)
def test_a_typed_path_is_relative_to_the_working_folder(project: Path, override: str) -> None:
    Path("pics").mkdir()
    file = written(project, "pics")
    here = load_study(file, overrides=[override.format("pics")])
    assert named(here) == (str(Path("pics").absolute()), str(Path("pics").absolute()))
    there = load_study(file, overrides=[override.format("../home/proj/pics")])
    assert keys(there) == keys(load_study(file))


@pytest.mark.parametrize(
    "override", ["baseline.data.size=16", "recipe.epochs=1", "baseline.backbone=resnet8"]
)
def test_another_change_leaves_the_path_relative_to_the_file(project: Path, override: str) -> None:
    file = written(project, "pics")
    assert keys(load_study(file, overrides=[override])) == keys(load_study(file))


def test_without_a_file_it_is_relative_to_the_working_folder(project: Path, monkeypatch: Any) -> None:
    study = {"name": "small", **fields("../home/proj/pics")}
    assert named(load_study(study)) == (str(project / "pics"),) * 2
    beside = load_study(study).beside(project / "results")
    assert named(beside) == ("pics", str(project / "pics"))
    assert keys(beside) == keys(load_study(written(project, "pics")))
    monkeypatch.chdir(project)
    for path in ("pics", str(project / "pics")):
        assert keys(load_study({**study, **fields(path)}).beside("results")) == keys(beside)


def test_a_shipped_study_is_named_from_its_results(project: Path) -> None:
    override = "baseline.data={name: image-folder, path: ../home/proj/pics, size: 16}"
    study = load_study("smoke", overrides=[override]).beside(project / "results")
    assert named(study) == ("pics", str(project / "pics"))


def test_the_folder_may_be_given(project: Path) -> None:
    study = load_study(written(project, "pics", "results/small/small.yaml", folder="../.."))
    assert named(study) == ("pics", str(project / "pics"))
    again = load_study(study.fields())
    assert (named(again), again.fields()) == (named(study), study.fields())
    assert load_study(study.fields(), seeds=1).beside("elsewhere").baseline == study.baseline


def test_data_for_choosing_are_found_where_the_others_are(project: Path) -> None:
    data = load_study(written(project, "pics")).baseline.data
    assert data.for_choosing(2).images == data.images
    assert data == DataSpec(name="image-folder", path="pics", size=16)
    assert hash(data) == hash(DataSpec(name="image-folder", path="pics", size=16))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("", "baseline.data.path must not be empty, got ''"),
        (
            "~nobody-of-this-name/pics",
            "baseline.data: the path cannot be used: there is no such home folder, got '~nobody",
        ),
        ("a\0b", "baseline.data: the path cannot be used: "),
    ],
)
def test_a_path_that_cannot_be_used_is_refused(project: Path, path: str, said: str) -> None:
    with pytest.raises(StudyError, match=said):
        load_study({"name": "small", **fields(path)})


def test_a_folder_that_is_no_text_is_refused(project: Path) -> None:
    with pytest.raises(StudyError, match="folder must be text, got 3"):
        load_study(written(project, "pics", folder=3))


def test_a_change_is_typed_in_any_folder(project: Path) -> None:
    here = Path("pics").absolute()
    placed = f"baseline.data.path={here}"
    assert from_anywhere("baseline.data.path=pics") == (placed,)
    whole = "baseline.data={name: image-folder, path: pics, size: 16}"
    assert from_anywhere(whole) == (whole, placed)
    for as_it_is in (
        "baseline.data=cifar10",
        "seeds=2",
        placed,
        "baseline.data.path=3",
        "baseline.data.size=3",
    ):
        assert from_anywhere(as_it_is) == (as_it_is,)


def test_a_change_moves_with_its_study(tmp_path: Path) -> None:
    before, now = str(tmp_path / "before"), str(tmp_path / "now")
    assert moved(f"baseline.data.path={before}/pics", before, now) == f"baseline.data.path={now}/pics"
    for as_it_is in ("baseline.data.path=/images", "recipe.epochs=2"):
        assert moved(as_it_is, before, now) == as_it_is


def test_a_folder_at_the_top_of_a_disk_is_not_beside_everything() -> None:
    assert spelled("/store/pics", "/project") == "/store/pics"
    assert spelled("/project/pics", "/project") == "pics"
