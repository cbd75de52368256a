"""`ablate probe` and its calls in Python, on networks that were trained for a moment."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
import yaml
from torch import nn

import ablations as ab
from ablations.planning.design import design
from senet_core.model import build_model

STUDY: dict[str, Any] = {
    "name": "tiny",
    "title": "Tiny",
    "question": "What do gates do?",
    "baseline": {
        "backbone": "resnet8",
        "variant": {"reduction": 8},
        "data": {"name": "digits", "train_images": 80, "test_images": 60},
    },
    "recipe": {
        "base": "cifar-quick",
        "epochs": 1,
        "batch_size": 32,
        "lr": 0.05,
        "pad": 1,
        "precision": "fp32",
    },
    "axes": {"squeeze": ["avg", "max"]},
    "seeds": 2,
    "keep_weights": True,
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the record of a study, its networks and its data."""
    folder = tmp_path_factory.mktemp("trained")
    root = str(Path(__file__).parents[3])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]))
        patch.chdir(folder)
        results = ab.run(STUDY, options=ab.RunOptions(data_dir=folder / "data"), workers=1)
    assert len(results.measured) == 6
    (folder / "results/tiny/plan.json").unlink()  # it says where the study was, and the tests have a copy
    return folder


@pytest.fixture
def folder(ablate: Callable[..., Any], trained: Path, tmp_path: Path) -> Path:
    """A copy of it, the working folder."""
    for name in ("results/tiny", "data"):
        shutil.copytree(trained / name, tmp_path / name)
    shutil.copy(trained / "results/tiny/tiny.yaml", tmp_path / "tiny.yaml")
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_a_page_and_its_numbers_are_written(ablate: Callable[..., Any]) -> None:
    said = ablate("probe", "tiny.yaml", "--class", "3", "--class", "8", "--leave-out", "fewer.yaml")
    assert (said.status, said.err) == (0, "")
    assert "Of the paper's 6 statements on the gates of its SE-ResNet-50, each of 2 rows " in said.out
    assert said.out.count("Early gates are shared by the classes") == 1  # a line, with a column for each row
    folder = Path("reports/tiny/gates")
    for name in ("report.md", "report.html", "gates.parquet", "units.parquet"):
        assert f"{folder / name}" in said.out
        assert (folder / name).is_file()
    page = (folder / "report.md").read_text(encoding="utf-8")
    assert "2 trained seeds (0, 1), on 60 test images" in page
    units = pd.read_parquet(folder / "units.parquet")
    assert list(units["row"].unique()) == ["SE r=8", "SE max r=8"]
    assert list(units["unit"].unique()) == ["SE_2_1", "SE_3_1", "SE_4_1"]
    assert list(pd.read_parquet(folder / "gates.parquet")["class"].unique()) == [str(k) for k in range(10)]
    assert re.search(
        r"^fewer\.yaml is written; next: \S*ablate plan \S+/fewer\.yaml$", said.out, re.MULTILINE
    )
    fewer = ab.load_study("fewer.yaml")
    assert [len(row.variant.stages or ()) for row in design(fewer).rows[2:]] == [2, 1]  # type: ignore[attr-defined]
    planned = ablate("plan", "fewer.yaml")
    assert planned.status == 0
    assert not Path("reports/tiny/report.md").exists()


def test_a_page_is_made_again_without_weights_and_images(ablate: Callable[..., Any], folder: Path) -> None:
    assert (
        "there are no numbers of a probe in 'reports/tiny/gates'"
        in ablate("probe", "tiny.yaml", "--again").err
    )
    assert ablate("probe", "tiny.yaml", "--class", "3").status == 0
    page = folder / "reports/tiny/gates/report.md"
    first = page.read_bytes()
    numbers = (page.parent / "units.parquet").read_bytes()
    page.unlink()
    shutil.rmtree(folder / "results/tiny/weights")
    shutil.rmtree(folder / "data")
    assert ablate("probe", "tiny.yaml", "--again", "--class", "3").status == 0
    assert page.read_bytes() == first
    assert ablate("probe", "tiny.yaml", "--again", "--only", "SE max r=8").status == 0
    assert b"SE max r=8 " in page.read_bytes()
    assert b"SE r=8" not in page.read_bytes()
    assert (page.parent / "units.parquet").read_bytes() == numbers  # those of every row
    said = ablate("probe", "tiny.yaml", "--again", "--images-per-class", "3")
    assert (said.status, "--images-per-class does not go with it" in said.err) == (2, True)
    said = ablate("probe", "tiny.yaml", "--again", "--only", "SE mx r=8")
    assert (said.status, "did you mean 'SE max r=8'" in said.err) == (2, True)


@pytest.mark.usefixtures("folder")
def test_a_document_is_printed_and_nothing_written(ablate: Callable[..., Any]) -> None:
    said = ablate("probe", "tiny.yaml", "--json", "--only", "SE max r=8", "--images-per-class", "3")
    document = json.loads(said.out)
    assert [(row["label"], row["seeds"], row["images"]) for row in document["rows"]] == [
        ("SE max r=8", [0, 1], 30)
    ]
    assert len(document["rows"][0]["statements"]) == 6
    assert not Path("reports").exists()
    probed = ab.probe_gates("tiny.yaml", rows=["SE max r=8"], images_per_class=3)
    told = document["rows"][0]["units"][0]["constant_error"]["mean"]
    assert probed.units.query("unit == 'SE_2_1'")["constant_error"].mean() == pytest.approx(told)


def test_weights_that_are_gone_are_told(ablate: Callable[..., Any], folder: Path) -> None:
    results = ab.load_results("tiny.yaml")
    gone = {results.key_of(row, 1) for row in results.design.rows if row.label == "SE r=8"}
    for path in (folder / "results/tiny/weights").iterdir():
        if path.name.partition("-")[0] in gone:
            path.unlink()
    probed = ab.probe_gates("tiny.yaml")
    assert probed.notes == ("SE r=8: seed 1 is not probed, its weights are not kept.",)
    assert [list(row.networks) for row in probed.rows] == [[0], [0, 1]]
    shutil.rmtree(folder / "results/tiny/weights")
    said = ablate("probe", "tiny.yaml")
    assert said.status == 2
    assert said.err.startswith(
        "ablate: study 'tiny' has 4 finished trials with gates and the weights of none in results/tiny: with"
        " `keep_weights: true`"
    )


WRONG = {
    "a row that is not there": (
        ("--only", "SE mox r=8"),
        "unknown row 'SE mox r=8'; did you mean 'SE max r=8'",
    ),
    "a plain row": (("--only", "plain"), "study 'tiny' has no gates to probe: 'plain' is plain"),
    "one image": (("--images-per-class", "1"), "--images-per-class must be at least 2, for a spread, got 1"),
    "a class": (("--class", "10"), "unknown class '10'; did you mean"),
    "a format": (("--format", "pdf"), "unknown format 'pdf'"),
    "a file that is there": (
        ("--leave-out", "tiny.yaml"),
        "'tiny.yaml' exists already, and is left as it is",
    ),
}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("case", WRONG)
def test_bad_input_is_one_line(ablate: Callable[..., Any], case: str) -> None:
    words, expected = WRONG[case]
    said = ablate("probe", "tiny.yaml", *words)
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith(f"ablate: {expected}")
    assert said.err.count("\n") == 1
    assert not Path("reports").exists()


def test_a_study_without_a_record_or_networks(ablate: Callable[..., Any], tmp_path: Path) -> None:
    said = ablate("probe", "small.yaml")
    assert said.status == 2
    assert said.err.startswith("ablate: study 'small' has 0 finished trials with gates")
    program = {
        "title": "Program", "question": "Which?", "margin": 1, "seeds": 2,
        "experiment": {"command": ["true", "{lr}", "{seed}"], "metrics": {"loss": "minimise"}},
        "baseline": {"lr": 1}, "axes": {"lr": [1, 2]},
    }  # fmt: skip
    (tmp_path / "program.yaml").write_text(yaml.safe_dump(program), encoding="utf-8")
    said = ablate("probe", "program.yaml")
    assert (said.status, "its trials train no networks of this package" in said.err) == (2, True), said.err


def test_any_network_is_probed_from_python(tmp_path: Path) -> None:
    from senet_core.variants.variant import SEVariant

    images, labels = torch.randn(20, 3, 16, 16), torch.arange(20) % 4
    networks: dict[int, nn.Module] = {
        seed: build_model("resnet8", SEVariant(reduction=4), num_classes=4, seed=seed) for seed in (3, 5)
    }
    probed = ab.probe_network(networks, images, labels, classes=("cat", "dog", "emu", "fox"), name="mine")
    assert isinstance(probed, ab.GateProbe)
    assert set(probed.units["seed"]) == {3, 5}
    assert len(probed.statements) == 6
    one = ab.probe_network(networks[3], images.split(7), labels)  # type: ignore[no-untyped-call]
    assert one.classes == ("0", "1", "2", "3")
    pd.testing.assert_frame_equal(
        one.units.drop(columns="seed"),
        probed.units.query("seed == 3").drop(columns="seed").assign(row="network"),
    )
    with pytest.raises(ab.UserError, match="`labels` go up to 3, and there are 2 `classes`, from 0"):
        ab.probe_network(networks, images, labels, classes=("cat", "dog"))
    with pytest.raises(ab.UserError, match="`labels` must be whole numbers from 0, one for each image"):
        ab.probe_network(networks, images, labels / 2)
