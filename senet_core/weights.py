"""Load trained weights: torchvision's, and files in the names of torchvision, timm or this package."""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from senet_core.bounded import check_unpacked
from senet_core.errors import UserError, one_line
from senet_core.training.classifier import classifier_of
from senet_core.units import SEUnit

IMAGENET = "imagenet"
_TORCHVISION_STRIDES = "torchvision's stride in the 3x3 convolution"
_CAFFE_STRIDES = "the Caffe definitions' strides and pooling"
_SHOWN = 3  # names in a message, the rest is counted


def load_weights(
    model: nn.Module,
    weights: str | Path | Mapping[str, Tensor],
    *,
    backbone: str,
    new_classifier: bool = False,
) -> frozenset[str]:
    """Load trained weights into a network, in place.

    Args:
        model: a network of `build_model`, plain or with SE blocks.
        weights: "imagenet" for torchvision's; a file, .safetensors or a state dict as torch saves it; or a
            state dict. Its names are this package's, torchvision's or timm's.
        backbone: the network's name.
        new_classifier: whether a classifier of another number of classes, or none, may be in the file: the network
            then keeps its own.

    Returns:
        The names of the state dict that the weights did not say, and that are as they were.

    Raises:
        UserError: the weights cannot be read, or names or shapes differ outside SE blocks that the file lacks
            altogether. The network is then as it was.
    """
    state, fresh = check_weights(model, weights, backbone=backbone, new_classifier=new_classifier)
    model.load_state_dict(state, strict=False)
    return fresh


def check_weights(
    model: nn.Module,
    weights: str | Path | Mapping[str, Tensor],
    *,
    backbone: str,
    new_classifier: bool = False,
) -> tuple[dict[str, Tensor], frozenset[str]]:
    """Return what `load_weights` would load, under the network's names, and the names that it would not say.

    Arguments and errors are those of `load_weights`; the network is not changed.
    """
    shown = "the state dict" if isinstance(weights, Mapping) else repr(str(weights))
    state = _renamed(_read(weights, backbone, shown), backbone, shown)
    wanted = model.state_dict()
    fresh = _fresh(model, state)
    if new_classifier:
        fresh |= _take_classifier(model, state, wanted)
    _check(state, wanted, fresh, shown, backbone)
    return state, frozenset(fresh)


def _take_classifier(model: nn.Module, state: dict[str, Tensor], wanted: Mapping[str, Tensor]) -> set[str]:
    """Take the classifier out of a state dict if it has another number of classes; return its names, if it is out."""
    path, _ = classifier_of(model)
    names = {name for name in wanted if name.startswith(f"{path}.")}
    if all(name in state and state[name].shape == wanted[name].shape for name in names):
        return set()
    others = {name for name in names if name in state and state[name].shape[1:] != wanted[name].shape[1:]}
    if others:  # other features: of another network
        return set()
    for name in names:
        state.pop(name, None)
    return names


def _read(weights: str | Path | Mapping[str, Tensor], backbone: str, shown: str) -> dict[str, Tensor]:
    if isinstance(weights, Mapping):
        return dict(weights)
    return _from_hub(backbone) if str(weights) == IMAGENET else _from_file(Path(weights), shown)


def check_hub(backbone: str) -> None:
    """Refuse a backbone that torchvision has no weights for.

    Raises:
        UserError: it has none.
    """
    _of_hub(backbone)


def _of_hub(backbone: str) -> Any:
    from torchvision.models import (  # type: ignore[import-untyped,unused-ignore]
        get_model_weights,
        list_models,
    )

    if backbone not in list_models():
        raise UserError(
            f"torchvision has no ImageNet weights for {backbone!r}; give a .pth or .safetensors file instead"
        )
    versions = get_model_weights(backbone).__members__
    found = versions.get("IMAGENET1K_V1")
    if found is None:
        raise UserError(f"torchvision has no IMAGENET1K_V1 weights for {backbone!r}")
    return found


def _from_hub(backbone: str) -> dict[str, Tensor]:
    found = _of_hub(backbone)
    try:
        # the hash is checked after a download only; the file may have been in the cache, which others may share
        state: dict[str, Tensor] = found.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError) as error:
        raise UserError(
            f"cannot fetch torchvision's weights of {backbone!r} from {found.url}: {' '.join(str(error).split())[:300]}"
        ) from error
    return state


def read_state_dict(content: bytes, shown: str) -> dict[str, Tensor]:
    """Return the state dict in the bytes of a file of safetensors or of torch's; nothing in it can run code.

    Args:
        content: of the whole file.
        shown: the file, as errors name it.

    Raises:
        UserError: it is damaged, or holds something else.
    """
    try:
        if content[8:9] == b"{":  # safetensors: the length of its head, and a head in JSON
            return _loaded_safetensors(content)
        if content[:2] == b"PK":
            check_unpacked(content)
        loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file can fail in any way
        raise UserError(f"cannot read weights {shown}: {_reason(error)}") from error
    return _state_in(loaded, shown)


def _from_file(path: Path, shown: str) -> dict[str, Tensor]:
    if not path.is_file():
        raise UserError(
            f"weights must be {IMAGENET!r} or a .pth or .safetensors file, and {shown} is no file"
        )
    try:
        if path.suffix == ".safetensors":
            return _from_safetensors(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file can fail in any way
        raise UserError(f"cannot read weights {shown}: {_reason(error)}") from error
    return _state_in(content, shown)


def _reason(error: Exception) -> str:
    """Return why a file cannot be read, without torch's advice to run what is in it."""
    if isinstance(error, pickle.UnpicklingError):
        return "it is damaged, or holds more than tensors"
    return one_line(error)[:300]


def _state_in(content: object, shown: str) -> dict[str, Tensor]:
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()
    ):
        raise UserError(f"{shown} holds no state dict, which maps names to tensors")
    return dict(content)


def _loaded_safetensors(content: bytes) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(content)
    except SafetensorError as error:
        raise ValueError(str(error)) from error


def _from_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(str(error)) from error


def _renamed(state: dict[str, Tensor], backbone: str, shown: str) -> dict[str, Tensor]:
    """Return the state dict of timm's SE-ResNets and legacy SENets under this package's names."""
    if any(name.startswith("layer0.") for name in state):
        _refuse_strides(backbone, caffe=True, shown=shown)
        rules = [(r"^layer0\.", ""), (r"^last_linear\.", "fc."), (r"\.se_module\.", ".se.network.")]
    elif any(re.search(r"\.se\.fc[12]\.", name) for name in state):
        _refuse_strides(backbone, caffe=False, shown=shown)
        rules = [(r"\.se\.fc", ".se.network.fc")]
    else:
        return state
    renamed = {}
    for name, value in state.items():
        for pattern, replacement in rules:
            name = re.sub(pattern, replacement, name)
        # timm's gates are 1x1 convolutions, ours are linear layers of the same weights
        renamed[name] = value.flatten(1) if ".se.network." in name and value.dim() == 4 else value
    return renamed


def _refuse_strides(backbone: str, *, caffe: bool, shown: str) -> None:
    """Refuse a checkpoint that fits by name and shape but has other strides."""
    if (
        backbone == "senet154"
        or not re.match(r"resne(t|xt)\d", backbone)
        or caffe == backbone.endswith("-v1")
    ):
        return
    other = f"{backbone}-v1" if caffe else backbone.removesuffix("-v1")
    expects = _CAFFE_STRIDES if caffe else _TORCHVISION_STRIDES
    raise UserError(f"{shown} is of a network with {expects}; load it into {other!r}, not {backbone!r}")


def _fresh(model: nn.Module, state: Mapping[str, Tensor]) -> set[str]:
    """Return the names of SE parts that stay fresh: all of them, where the file has none."""
    ours = {
        f"{path}.se.{name}"
        for path, unit in model.named_modules()
        if isinstance(unit, SEUnit)
        for name in unit.se.state_dict()
    }
    return set() if any(name in ours for name in state) else ours


def _check(
    state: Mapping[str, Tensor], wanted: Mapping[str, Tensor], fresh: set[str], shown: str, backbone: str
) -> None:
    head = [
        name for name in wanted if name.endswith(".weight") and wanted[name].dim() == 2 and name not in fresh
    ]
    if head and head[-1] in state and len(state[head[-1]]) != len(wanted[head[-1]]):
        raise UserError(
            f"{shown} classifies {len(state[head[-1]])} classes and the network {len(wanted[head[-1]])};"
            " build it with the file's num_classes"
        )
    # old files lack the counters of batch norm, which nothing here reads
    missing = [
        name for name in wanted if name not in state and name not in fresh and "num_batches" not in name
    ]
    unexpected = [name for name in state if name not in wanted]
    misshapen = [
        f"{name} {tuple(state[name].shape)} instead of {tuple(wanted[name].shape)}"
        for name in state
        if name in wanted and state[name].shape != wanted[name].shape
    ]
    found = (("missing", missing), ("unexpected", unexpected), ("of another shape", misshapen))
    problems = [f"{len(names)} {what}: {_some(names)}" for what, names in found if names]
    if problems:
        hint = ""
        if any(name.endswith((".fc1.bias", ".fc2.bias")) for name in unexpected):
            hint = "; its gates have biases, so use a variant with bias=true"
        raise UserError(f"{shown} does not fit {backbone}: {'; '.join(problems)}{hint}")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
