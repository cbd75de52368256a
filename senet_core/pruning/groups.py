"""ChannelGroup: channels that can only be removed together, found by the torch-pruning library."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from senet_core.backbones.cifar_resnet import ZeroPadShortcut
from senet_core.blocks.unit_block import UnitBlock
from senet_core.errors import UserError, typed_line
from senet_core.kernel_hook import computing_by
from senet_core.pruning.shortcut import PrunedShortcut


@dataclass(frozen=True)
class ChannelGroup:
    """Channels that layers share, each of which is removed from all of these layers at once.

    Inside a residual branch that is one convolution with what follows it; a residual stage has one group of all that
    its additions tie together.

    Attributes:
        path: of the first convolution that makes the channels.
        channels: how many there are.
        filters: weights of the convolutions that make them, each (channels, C_in, kernel, kernel).
        scales: of the batch norms after them, each (channels,).
        gates: paths of the blocks that weigh them.
        layers: paths of all layers that lose something with a channel, without those of SE blocks.
        why_not: why none of them can be removed alone; empty where it can.
    """

    path: str
    channels: int
    filters: tuple[Tensor, ...]
    scales: tuple[Tensor, ...]
    gates: tuple[str, ...]
    layers: tuple[str, ...]
    why_not: str

    @property
    def is_inside(self) -> bool:
        """Whether all of its layers are in one part of the network, as between the convolutions of a unit."""
        return len({path.rpartition(".")[0] for path in self.layers}) == 1 and "." in self.path


class Dependencies:
    """Which layers of a network lose channels together; changed networks need no other one.

    Args:
        model: on the processor or a GPU; shortcuts that fill with zeros are replaced by ones that compute the same.
        image_shape: (C, H, W) in pixels.

    Raises:
        UserError: the library is not installed, or cannot follow the network.
    """

    def __init__(self, model: nn.Module, image_shape: tuple[int, int, int]) -> None:
        self._pruning = _library()
        self._model, self._shape = model, image_shape
        _make_shortcuts_removable(model, image_shape)
        self._paths = {module: path for path, module in model.named_modules()}
        with self._following("cannot tell which channels of the network belong together"):
            self._graph = self._pruning.DependencyGraph().build_dependency(
                model, self._image(), customized_pruners={PrunedShortcut: _shortcut_pruner()}, verbose=False
            )

    def groups(self) -> tuple[ChannelGroup, ...]:
        """Return the groups in the order of the network, without the classes and what is inside of SE blocks."""
        with self._following("cannot tell which channels of the network belong together"):
            found = [self._group(list(group)) for group in self._graph.get_all_groups()]
        groups = [group for group in found if group is not None]
        order = {path: place for place, path in enumerate(self._paths.values())}
        return tuple(sorted(groups, key=lambda group: order[group.path]))

    def remove(self, group: ChannelGroup, channels: Sequence[int]) -> None:
        """Remove channels of a group from all of its layers, in place.

        Args:
            group: of this network.
            channels: from 0; at least one of the group's is left.

        Raises:
            UserError: the network that is left cannot be computed.
        """
        root = self._model.get_submodule(group.path)
        with self._following(f"cannot remove channels of {group.path}"):
            remove = self._pruning.prune_conv_out_channels
            self._graph.get_pruning_group(root, remove, list(channels)).prune()
        for path in group.gates:
            block = self._model.get_submodule(path)
            assert isinstance(block, UnitBlock)
            block.channels -= len(channels)

    def check(self) -> None:
        """Compute one image.

        Raises:
            UserError: it cannot be computed.
        """
        with self._following("the pruned network cannot be computed"):
            self._model(self._image())

    def _group(self, items: Sequence[Any]) -> ChannelGroup | None:
        named = [(item.dep, self._paths[item.dep.target.module]) for item in items if self._has(item)]
        blocks = {path for module, path in self._paths.items() if isinstance(module, UnitBlock)}
        inside = {path: _owner(path, blocks) for _, path in named}
        made = [  # what a block makes inside of itself says nothing of the channels that it weighs
            dep.target.module
            for dep, path in named
            if not inside[path] and self._graph.is_out_channel_pruning_fn(dep.handler)
        ]
        convolutions = [layer for layer in made if isinstance(layer, nn.Conv2d)]
        if not convolutions:
            return None
        first = min(convolutions, key=list(self._paths).index)
        return ChannelGroup(
            path=self._paths[first],
            channels=first.out_channels,
            filters=tuple(layer.weight for layer in convolutions),
            scales=tuple(layer.weight for layer in made if isinstance(layer, nn.BatchNorm2d)),
            gates=tuple(dict.fromkeys(owner for owner in inside.values() if owner)),
            layers=tuple(dict.fromkeys(path for path, owner in inside.items() if not owner)),
            why_not=_why_not(items),
        )

    def _has(self, item: Any) -> bool:
        return item.dep.target.module in self._paths

    def _image(self) -> Tensor:
        device = next(self._model.parameters()).device
        return torch.zeros(1, *self._shape, device=device)

    @contextmanager
    def _following(self, words: str) -> Iterator[None]:
        training = self._model.training
        try:
            with torch.enable_grad(), computing_by(None):
                self._model.eval()
                yield
        except Exception as error:  # the library's own are many
            reason = str(error) if isinstance(error, UserError) else typed_line(error)
            raise UserError(f"{words}: {reason}") from error
        finally:
            self._model.train(training)


def _why_not(items: Sequence[Any]) -> str:
    if any(list(item.idxs) != list(item.root_idxs) for item in items):
        return "they are concatenated, split or flattened"
    layers = [item.dep.target.module for item in items]
    if any(isinstance(layer, nn.Conv2d) and 1 < layer.groups < layer.out_channels for layer in layers):
        return "a grouped convolution has them in parts of one size"
    return ""


def _owner(path: str, blocks: set[str]) -> str:
    """Return the path of the SE block that a layer is in; empty for none."""
    return next((block for block in blocks if path.startswith(f"{block}.")), "")


def _library() -> Any:
    try:
        import torch_pruning
    except ImportError as error:
        raise UserError(
            "pruning needs the package torch-pruning, which is not installed: pip install 'senet-ablations[pruning]'"
        ) from error
    return torch_pruning


def _shortcut_pruner() -> Any:
    from torch_pruning.pruner.function import BasePruningFunc

    class ShortcutPruner(BasePruningFunc):  # type: ignore[misc,unused-ignore]
        """How the library removes channels of a `PrunedShortcut`: those of the input and of the output apart."""

        def prune_in_channels(self, layer: PrunedShortcut, idxs: Sequence[int]) -> PrunedShortcut:
            layer.remove_inputs(idxs)
            return layer

        def prune_out_channels(self, layer: PrunedShortcut, idxs: Sequence[int]) -> PrunedShortcut:
            layer.remove_outputs(idxs)
            return layer

        def get_in_channels(self, layer: PrunedShortcut) -> int:
            return layer.in_channels

        def get_out_channels(self, layer: PrunedShortcut) -> int:
            return len(layer.sources)

    return ShortcutPruner()


def _make_shortcuts_removable(model: nn.Module, image_shape: tuple[int, int, int]) -> None:
    """Replace the shortcuts whose channels are where the padding puts them, once their inputs are known."""
    found = [path for path, module in model.named_modules() if isinstance(module, ZeroPadShortcut)]
    seen: dict[str, int] = {}
    hooks = [
        model.get_submodule(path).register_forward_pre_hook(
            lambda _, given, path=path: seen.__setitem__(path, given[0].shape[1])
        )
        for path in found
    ]
    training, device = model.training, next(model.parameters()).device
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(1, *image_shape, device=device))
    finally:
        model.train(training)
        for hook in hooks:
            hook.remove()
    for path, channels in seen.items():
        parent, _, name = path.rpartition(".")
        shortcut = model.get_submodule(path)
        assert isinstance(shortcut, ZeroPadShortcut)
        made = PrunedShortcut.of(shortcut, channels).to(device)
        model.get_submodule(parent)._modules[name] = made.train(training)
