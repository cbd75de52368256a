"""Weights from files: which ones fit, and what is said of those that do not. Nothing here needs a network."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from urllib.error import URLError

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save, save_file
from torch import Tensor, nn

from senet_core import SEVariant, UserError, build_model
from senet_core.units import SEUnit
from senet_core.weights import load_weights, read_state_dict

SE = SEVariant(bias=True)


def state_of(name: str, classes: int = 10) -> dict[str, Tensor]:
    torch.manual_seed(0)
    model: nn.Module = getattr(torchvision.models, name)(num_classes=classes)
    return model.state_dict()


@pytest.fixture
def resnet18(tmp_path: Path) -> Path:
    path = tmp_path / "resnet18.pth"
    torch.save(state_of("resnet18"), path)
    return path


def test_a_torchvision_file_fills_the_plain_network(resnet18: Path) -> None:
    model = build_model("resnet18", num_classes=10, weights=resnet18)
    published = state_of("resnet18")
    assert all(torch.equal(value, published[name]) for name, value in model.state_dict().items())


def test_a_torchvision_file_leaves_the_se_parts_fresh(resnet18: Path) -> None:
    loaded = build_model("resnet18", SEVariant(), num_classes=10, seed=3, weights=resnet18).state_dict()
    fresh = build_model("resnet18", SEVariant(), num_classes=10, seed=3).state_dict()
    published = state_of("resnet18")
    for name, value in loaded.items():
        assert torch.equal(value, fresh[name] if ".se." in name else published[name]), name


def test_safetensors_and_wrapped_files_load_too(tmp_path: Path) -> None:
    state = state_of("resnet18")
    save_file(state, tmp_path / "weights.safetensors")
    torch.save({"state_dict": state, "epoch": 90}, tmp_path / "checkpoint.pth")
    for name in ("weights.safetensors", "checkpoint.pth"):
        model = build_model("resnet18", num_classes=10, weights=str(tmp_path / name))
        assert torch.equal(model.state_dict()["fc.weight"], state["fc.weight"])


def test_a_saved_se_network_loads_whole(tmp_path: Path) -> None:
    saved = build_model("resnet20", SEVariant(), num_classes=10, seed=0).state_dict()
    torch.save(saved, tmp_path / "se.pth")
    model = build_model("resnet20", SEVariant(), num_classes=10, seed=1, weights=tmp_path / "se.pth")
    assert all(torch.equal(value, saved[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize(
    ("theirs", "backbone", "gate"),
    [
        ("seresnet50", "resnet50", "layer3.1.se.fc1.weight"),
        ("legacy_seresnet50", "resnet50-v1", "layer3.1.se_module.fc1.weight"),
    ],
)
def test_timm_checkpoints_load_by_their_names(tmp_path: Path, theirs: str, backbone: str, gate: str) -> None:
    torch.manual_seed(0)
    published = timm.create_model(theirs, num_classes=10).eval()
    torch.save(published.state_dict(), tmp_path / "timm.pth")
    model = build_model(backbone, SE, num_classes=10, weights=tmp_path / "timm.pth").eval()
    unit = model.get_submodule("layer3.1")
    assert isinstance(unit, SEUnit)
    assert torch.equal(unit.se.network.fc1.weight, published.state_dict()[gate].flatten(1))
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model(x), published(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("theirs", "backbone", "right"),
    [("seresnet50", "resnet50-v1", "resnet50"), ("legacy_seresnet50", "resnet50", "resnet50-v1")],
)
def test_a_checkpoint_of_the_other_stride_convention_is_refused(
    tmp_path: Path, theirs: str, backbone: str, right: str
) -> None:
    """Names and shapes fit, and the network would compute something else."""
    torch.save(timm.create_model(theirs, num_classes=10).state_dict(), tmp_path / "timm.pth")
    with pytest.raises(UserError, match=f"load it into '{right}', not '{backbone}'$"):
        build_model(backbone, SE, num_classes=10, weights=tmp_path / "timm.pth")


def test_gates_with_biases_need_a_variant_with_biases(tmp_path: Path) -> None:
    torch.save(timm.create_model("seresnet50", num_classes=10).state_dict(), tmp_path / "timm.pth")
    with pytest.raises(
        UserError, match=r"32 unexpected: .* and 29 more; its gates have biases, so use .*bias=true"
    ):
        build_model("resnet50", SEVariant(), num_classes=10, weights=tmp_path / "timm.pth")


def test_another_number_of_classes_is_said_as_such(resnet18: Path) -> None:
    with pytest.raises(UserError, match=r"classifies 10 classes and the network 1000; build it with"):
        build_model("resnet18", SEVariant(), weights=resnet18)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("missing", r"does not fit resnet18: 1 missing: layer1\.0\.conv1\.weight$"),
        ("unexpected", r"does not fit resnet18: 1 unexpected: layer9\.weight$"),
        ("shape", r"1 of another shape: conv1\.weight \(64, 1, 7, 7\) instead of \(64, 3, 7, 7\)$"),
        ("some se parts", r"15 missing: layer1\.0\.se\.network\.fc2\.weight, "),
    ],
)
def test_every_name_that_does_not_fit_is_an_error(tmp_path: Path, change: str, message: str) -> None:
    state, variant = state_of("resnet18"), None
    if change == "missing":
        del state["layer1.0.conv1.weight"]
    elif change == "unexpected":
        state["layer9.weight"] = torch.zeros(1)
    elif change == "shape":
        state["conv1.weight"] = torch.zeros(64, 1, 7, 7)
    else:
        variant = SEVariant()
        state["layer1.0.se.network.fc1.weight"] = torch.zeros(4, 64)
    torch.save(state, tmp_path / "weights.pth")
    with pytest.raises(UserError, match=message) as caught:
        build_model("resnet18", variant, num_classes=10, weights=tmp_path / "weights.pth")
    assert "\n" not in str(caught.value)


def test_old_files_without_counters_of_batch_norm_load(tmp_path: Path) -> None:
    state = {k: v for k, v in state_of("resnet18").items() if "num_batches_tracked" not in k}
    torch.save(state, tmp_path / "old.pth")
    loaded = build_model("resnet18", num_classes=10, weights=tmp_path / "old.pth").state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in state.items())
    counters = [value for name, value in loaded.items() if name not in state]
    assert len(counters) == 20  # one for each batch norm
    assert not any(counter.any() for counter in counters)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "absent.pth",
            None,
            r"weights must be 'imagenet' or a \.pth or \.safetensors file, and .* is no file",
        ),
        ("broken.pth", b"not a checkpoint", "cannot read weights "),
        ("broken.safetensors", b"not a checkpoint", "cannot read weights "),
        ("empty.pth", b"", "cannot read weights "),
    ],
)
def test_an_unreadable_file_is_one_line(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        build_model("resnet20", num_classes=10, weights=tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    torch.save([torch.zeros(1)], tmp_path / "list.pth")
    with pytest.raises(UserError, match="holds no state dict"):
        build_model("resnet20", num_classes=10, weights=tmp_path / "list.pth")


@pytest.mark.parametrize("backbone", ["resnet20", "resnet50-v1", "senet154", "resnext101_32x4d"])
def test_imagenet_weights_are_torchvisions_only(backbone: str) -> None:
    from senet_core.weights import load_weights

    with pytest.raises(UserError, match=f"torchvision has no ImageNet weights for '{backbone}'"):
        load_weights(nn.Identity(), "imagenet", backbone=backbone)


def test_imagenet_weights_come_from_torchvisions_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.models import ResNet18_Weights

    asked = []

    def fetched(self: ResNet18_Weights, **_: object) -> dict[str, Tensor]:
        asked.append(self)
        return state_of("resnet18", classes=1000)

    monkeypatch.setattr(ResNet18_Weights, "get_state_dict", fetched)
    model = build_model("resnet18", SEVariant(), weights="imagenet")
    assert asked == [ResNet18_Weights.IMAGENET1K_V1]
    assert torch.equal(model.state_dict()["fc.weight"], state_of("resnet18", classes=1000)["fc.weight"])


def test_a_hub_out_of_reach_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.models import ResNet18_Weights

    def unreachable(self: ResNet18_Weights, **_: object) -> dict[str, Tensor]:
        raise URLError("no route to host")

    monkeypatch.setattr(ResNet18_Weights, "get_state_dict", unreachable)
    with pytest.raises(
        UserError, match=r"cannot fetch torchvision's weights of 'resnet18' from http.*no route"
    ):
        build_model("resnet18", weights="imagenet")


def test_a_classifier_for_other_classes_is_new(resnet18: Path) -> None:
    model = build_model("resnet18", num_classes=4, seed=3)
    drawn = {name: value.clone() for name, value in model.state_dict().items()}
    fresh = load_weights(model, resnet18, backbone="resnet18", new_classifier=True)
    assert fresh == {"fc.weight", "fc.bias"}
    published = state_of("resnet18")
    for name, value in model.state_dict().items():
        assert torch.equal(value, drawn[name] if name in fresh else published[name])


def test_a_classifier_for_the_same_classes_is_kept_and_one_that_is_missing_is_new(resnet18: Path) -> None:
    model = build_model("resnet18", num_classes=10)
    assert load_weights(model, resnet18, backbone="resnet18", new_classifier=True) == set()
    state = {name: value for name, value in state_of("resnet18").items() if not name.startswith("fc.")}
    assert load_weights(model, state, backbone="resnet18", new_classifier=True) == {"fc.weight", "fc.bias"}


def test_other_features_are_another_network_whatever_its_classes(resnet18: Path) -> None:
    state = {**state_of("resnet18"), "fc.weight": torch.zeros(7, 99), "fc.bias": torch.zeros(7)}
    with pytest.raises(UserError, match=r"classifies 7 classes|of another shape"):
        load_weights(build_model("resnet18"), state, backbone="resnet18", new_classifier=True)


def test_bytes_of_both_formats_are_read_by_what_they_are() -> None:
    state = {"a": torch.arange(3.0)}
    buffer = io.BytesIO()
    torch.save({"state_dict": state}, buffer)
    for content in (buffer.getvalue(), save(state)):
        assert torch.equal(read_state_dict(content, "x")["a"], state["a"])


def test_a_file_that_would_unpack_to_more_than_it_has_is_refused() -> None:
    plain, packed = io.BytesIO(), io.BytesIO()
    torch.save({"w": torch.zeros(1_000_000)}, plain)
    with zipfile.ZipFile(plain) as one, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as other:
        for part in one.infolist():
            other.writestr(part.filename, one.read(part))
    with pytest.raises(UserError, match="cannot read weights x: it would unpack to 4,"):
        read_state_dict(packed.getvalue(), "x")


@pytest.mark.parametrize("content", [{1: torch.zeros(1)}, {"a": 1}, [1], {"state_dict": {"a": None}}])
def test_what_is_no_state_dict_is_refused(content: object) -> None:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with pytest.raises(UserError, match="x holds no state dict"):
        read_state_dict(buffer.getvalue(), "x")
