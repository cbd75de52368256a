"""`ablate plan` shows the network behind each row; it and `ablate run` refuse to compare a network with itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ablations.planning.design import design
from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.study_file import load_study
from ablations.running.training import networks as networks_module
from ablations.running.training.networks import Networks, data_shape
from ablations.running.training.refusals.identical import refuse_identical
from senet_core import SLOTS, UserError, fingerprint, plugins
from tests.ablations.analysis.synthetic import simulated, write_record


@pytest.fixture(autouse=True)
def _own_registries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plug-ins of a test are gone after it."""
    for registry in SLOTS.values():
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    monkeypatch.setattr(plugins, "_loaded", {})


STAGE_2 = ("--set", "baseline.backbone=resnet20", "--set", "baseline.variant={reduction: 16, stages: [2]}")
TWICE = (*STAGE_2, "--set", "axes={reduction: [16, 32]}")
REFUSAL = (
    "ablate: study 'small': rows 'SE stage 2' and 'SE r=32 stage 2' are the same network: width 1 in stage 2 for both, "
    "since 16 // 16 = 1 and 16 // 32 is floored to 1; a difference between them would be chance: leave one out, or say "
    "allow_identical: true in the study\n"
)


@pytest.mark.parametrize("command", ["plan", "run"])
def test_one_network_under_two_names_is_refused_with_the_reason(
    ablate: Callable[..., Any], command: str
) -> None:
    said = ablate(command, "small.yaml", *TWICE)
    assert (said.status, said.err) == (2, REFUSAL)
    assert not Path("results/small").exists()
    assert not Path("data").exists()


def test_unless_the_study_allows_it(ablate: Callable[..., Any]) -> None:
    said = ablate("plan", "small.yaml", *TWICE, "--set", "allow_identical=true")
    assert said.status == 0, said.err
    assert (
        "identical: 'SE stage 2' and 'SE r=32 stage 2' are the same network: width 1 in stage 2" in said.out
    )
    assert "3 rows, 6 trials, 6 to train" in said.out
    assert ablate("status", "small.yaml", *TWICE).status == 0


def test_shows_widths_costs_and_functions(ablate: Callable[..., Any]) -> None:
    said = ablate("plan", "small.yaml", "--set", "axes={reduction: [4, 8], integration: [pre]}")
    lines = [re.split(r" {2,}", line.strip()) for line in said.out.splitlines()]
    rows = {cells[0]: cells[1:] for cells in lines if len(cells) == 8 and cells[0] != "row"}
    assert set(rows) == {"SE r=8", "plain", "SE r=4", "SE-PRE r=8"}
    cells = rows["SE r=4"]
    print_ = fingerprint_of(4)
    assert cells == [
        "resnet8 se:reduction=4", "3 out", "4/8/16", f"{print_.parameters:,}", f"{print_.multiply_adds:,}",
        print_.function[:8], "0 of 2",
    ]  # fmt: skip
    assert len({row[-2] for row in rows.values()}) == 4
    assert "3 in" in rows["SE-PRE r=8"]


def fingerprint_of(reduction: int) -> Any:
    from senet_core.fingerprint import fingerprint as of
    from senet_core.variants.variant import SEVariant

    return of("resnet8", SEVariant(reduction=reduction), num_classes=10, image_shape=(1, 8, 8))


def test_says_where_the_floor_acts_in_some_blocks_only(ablate: Callable[..., Any]) -> None:
    words = ("--set", "baseline.backbone=resnet14", "--set", "axes={integration: [pre]}")
    said = ablate("plan", "small.yaml", "--set", "baseline.variant={reduction: 32}", *words)
    text = " ".join(said.out.split())
    assert "Stage 2 has fewer than r = 32 channels: the bottleneck has one unit there" in text
    assert (
        "In stage 3 of SE-PRE r=32, 1 of 2 blocks weigh fewer than r = 32 channels and have one unit" in text
    )


def test_fits_a_narrow_screen(ablate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = ablate("plan", "small.yaml")
    assert max(map(len, said.out.splitlines())) <= 80
    assert "…" not in said.out


def test_one_network_is_computed_once_however_it_is_trained(
    ablate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import senet_core.fingerprint as module

    taken: list[object] = []
    real = module.fingerprint
    monkeypatch.setattr(
        module, "fingerprint", lambda *words, **given: taken.append(words) or real(*words, **given)
    )
    said = ablate("plan", "small.yaml", "--set", "axes={recipe.lr: [0.1, 0.2, 0.3]}")
    assert "5 rows" in said.out
    assert len(taken) == 2


def test_networks_that_take_too_long_are_left_out_with_a_word(
    ablate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ablations.api import planners

    monkeypatch.setattr(planners, "PATIENCE_SECONDS", 0.0)
    said = ablate("plan", "small.yaml")
    text = " ".join(said.out.split())
    assert said.status == 0, said.err
    assert "the networks or functions of SE r=8, plain, SE max r=8; `ablate run` compares all rows" in text
    assert ablate("plan", "small.yaml", *TWICE).status == 0  # it cannot tell


def test_run_takes_fingerprints_only_where_structures_are_equal(
    ablate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import senet_core.fingerprint as module

    taken: list[object] = []
    real = module.fingerprint
    monkeypatch.setattr(
        module, "fingerprint", lambda *words, **given: taken.append(words) or real(*words, **given)
    )
    refuse_identical(design(load_study("small.yaml", overrides=["axes={reduction: [2, 4]}"])))
    assert taken == []  # no two rows are alike in parameters and multiply-adds
    with pytest.raises(UserError, match="are the same network"):
        refuse_identical(
            design(load_study("small.yaml", overrides=[word for word in TWICE if word != "--set"]))
        )
    assert len(taken) == 2  # of the plain network there is one only


@pytest.mark.parametrize("command", ["status", "report"])
def test_status_and_report_compute_no_network(
    ablate: Callable[..., Any], command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = design(load_study("small.yaml", overrides=[word for word in TWICE if word != "--set"]))
    write_record(Path("results/small"), simulated(plan))
    monkeypatch.setattr(networks_module.Networks, "structure", None)
    monkeypatch.setattr(fingerprint, "structure", None)
    said = ablate(command, "small.yaml", *TWICE)
    assert (said.status, said.err) == (0, "")


PLUGIN = """
from senet_core import EXCITATIONS, SQUEEZES

@SQUEEZES.register("mean", source="a copy")
def mean(x):
    return x.flatten(2).mean(dim=2)

@EXCITATIONS.register("broken", source="fails")
def broken(x):
    raise RuntimeError("not today")
"""


def test_a_plug_in_that_copies_an_entry_is_refused(ablate: Callable[..., Any]) -> None:
    Path("copy.py").write_text(PLUGIN, encoding="utf-8")
    said = ablate("plan", "small.yaml", "--plugin", "copy.py", "--set", "axes.squeeze=[avg, mean]")
    assert said.status == 2
    assert (
        "rows 'SE r=8' and 'SE mean r=8' are the same network: they differ in squeeze avg and mean"
        in said.err
    )


def test_a_network_that_fails_is_shown_and_left_to_its_trials(ablate: Callable[..., Any]) -> None:
    Path("broken.py").write_text(PLUGIN, encoding="utf-8")
    words = ("--plugin", "broken.py", "--set", "axes={excitation: [broken]}")
    said = ablate("plan", "small.yaml", *words)
    assert said.status == 0, said.err
    assert "SE broken r=8 cannot be computed: RuntimeError: not today" in said.out


def test_several_pairs_are_counted_and_the_first_explained(ablate: Callable[..., Any]) -> None:
    words = ("--set", "axes={reduction: [64, 128, 256]}", "--set", "baseline.variant={reduction: 64}")
    said = ablate("plan", "small.yaml", *words)
    assert (
        "rows 'SE r=64' and 'SE r=128' are the same network: width 1 in stage 2 for both, since" in said.err
    )
    assert "width 1 in stage 4 for both, since 64 // 64 = 1 and 64 // 128 is floored to 1 (2 more" in said.err


def test_recipes_that_differ_in_what_does_nothing_are_refused(ablate: Callable[..., Any]) -> None:
    said = ablate("plan", "small.yaml", "--set", "axes={recipe.gamma: [0.1, 0.5]}")
    assert said.status == 2
    assert "trained alike: their recipes differ in what does nothing here, gamma 0.1 and 0.5" in said.err


def test_repeats_are_asked_for_and_not_refused(ablate: Callable[..., Any]) -> None:
    said = ablate("plan", "small.yaml", "--set", "axes={repeat: [0, 1]}")
    assert said.status == 0, said.err


def test_effective_recipes_keep_what_acts() -> None:
    from ablations.planning.networks.recipe import Recipe

    step = {"schedule": "step", "milestones": (0.5,)}
    assert Recipe(epochs=1, gamma=0.5).effective == Recipe(epochs=1)
    assert Recipe(epochs=1, gamma=0.5, **step).effective != Recipe(epochs=1, **step).effective  # type: ignore[arg-type]
    assert Recipe(epochs=1, crop="none", pad=2).effective == Recipe(epochs=1, crop="none")
    assert Recipe(epochs=1, pad=2).effective == Recipe(epochs=1, pad=2)
    spared = Recipe(epochs=1, decay_norm_and_bias=False)
    assert spared.effective == spared
    assert spared.model_copy(update={"weight_decay": 0}).effective.decay_norm_and_bias


def test_every_data_set_has_a_shape() -> None:
    assert data_shape(DataSpec(name="cifar100")).num_classes == 100
    folder = data_shape(DataSpec(name="image-folder", path="x", size=64))
    assert (folder.image_shape, folder.assumed) == ((3, 64, 64), True)
    assert not data_shape(DataSpec(name="digits")).assumed


def test_shipped_studies_compare_no_network_with_itself() -> None:
    for name in ("smoke", "quickstart"):
        unfolded = design(load_study(name))
        networks = Networks()
        assert list(networks.identical(unfolded.rows)) == []
        assert all(networks.structure(row) is not None for row in unfolded.rows)  # each was looked at


def test_a_failure_is_known_by_its_row() -> None:
    unfolded = design(load_study("smoke"))
    networks = Networks(lambda data: data_shape(DataSpec(name="image-folder", path="x", size=8)))
    assert networks.structure(unfolded.baseline) is not None
    with pytest.raises(UserError, match="unknown data set"):
        data_shape(DataSpec.model_construct(name="nowhere", size=None))


def test_says_how_and_on_what_it_trains_before_hours_of_it(ablate: Callable[..., Any]) -> None:
    """The recipe's values, and the images with size and source, as they are and as they will be."""
    said = ablate(
        "plan",
        "small.yaml",
        "--set",
        "recipe={base: cifar-quick, batch_size: 64}",
        "--set",
        "axes={recipe.lr: [0.1, 0.2]}",
    )
    assert "recipe  epochs 10, batch_size 64, lr 0.3, momentum 0.9" in said.out
    assert "; varied: lr" in " ".join(said.out.split())
    assert (
        "data    digits: 80 training images, 40 test images (of 1,297 and 500), 8x8x1, 10 classes;"
        in said.out
    )
    assert "not prepared yet: comes with scikit-learn" in " ".join(said.out.split())
    assert ablate("data", "prepare", "digits").status == 0
    now = " ".join(ablate("plan", "small.yaml").out.split())
    assert "recipe epochs 1, batch_size 32, lr 0.05" in now
    assert "10 classes; data/digits.safetensors, digest " in now


def test_names_the_images_that_a_choice_is_made_on(ablate: Callable[..., Any]) -> None:
    words = ("--set", "design=tuned", "--set", "tune={validation_images: 40, trials: 2}")
    said = " ".join(ablate("plan", "small.yaml", *words).out.split())
    assert "chosen for each row: lr, weight_decay" in said
    assert "choices are made on 40 training images that are held back" in said


def test_a_folder_that_was_not_read_is_not_counted(ablate: Callable[..., Any]) -> None:
    Path("images").mkdir()
    data = "baseline.data={name: image-folder, path: images, size: 16}"
    said = " ".join(ablate("plan", "small.yaml", "--set", data).out.split())
    assert "data image-folder, images at 16 px; not prepared yet: it is counted when" in said
