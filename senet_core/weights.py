"""Load trained weights: torchvision's, and files in the names of torchvision, timm or this package."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from senet_core.errors import UserError, one_line
from senet_core.units import SEUnit

IMAGENET = "imagenet"
_TORCHVISION_STRIDES = "torchvision's stride in the 3x3 convolution"
_CAFFE_STRIDES = "the Caffe definitions' strides and pooling"
_SHOWN = 3  # names in a message, the rest is counted


def load_weights(model: nn.Module, weights: str | Path | Mapping[str, Tensor], *, backbone: str) -> None:
    """Load trained weights into a network, in place.

    Args:
        model: a network of `build_model`, plain or with SE blocks.
        weights: "imagenet" for torchvision's; a file, .safetensors or a state dict as torch saves it; or a
            state dict. Its names are this package's, torchvision's or timm's.
        backbone: the network's name.

    Raises:
        UserError: the weights cannot be read, or names or shapes differ outside SE blocks that the file lacks
            altogether. The network is then as it was.
    """
    shown = "the state dict" if isinstance(weights, Mapping) else repr(str(weights))
    state = _renamed(_read(weights, backbone, shown), backbone, shown)
    wanted = model.state_dict()
    _check(state, wanted, _fresh(model, state), shown, backbone)
    model.load_state_dict(state, strict=False)


def _read(weights: str | Path | Mapping[str, Tensor], backbone: str, shown: str) -> dict[str, Tensor]:
    if isinstance(weights, Mapping):
        return dict(weights)
    return _from_hub(backbone) if str(weights) == IMAGENET else _from_file(Path(weights), shown)


def _from_hub(backbone: str) -> dict[str, Tensor]:
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
    try:
        # the hash is checked after a download only; the file may have been in the cache, which others may share
        state: dict[str, Tensor] = found.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError) as error:
        raise UserError(
            f"cannot fetch torchvision's weights of {backbone!r} from {found.url}: {' '.join(str(error).split())[:300]}"
        ) from error
    return state


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
        raise UserError(f"cannot read weights {shown}: {one_line(error)[:300]}") from error
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise UserError(f"{shown} holds no state dict, which maps names to tensors")
    return dict(content)


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
