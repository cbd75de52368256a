"""Collects the gates of a network: one number for each image, unit and channel."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ablations.running.probe.gate_sources import GateSource, find_sources
from senet_core.backbones.catalog import Place
from senet_core.errors import UserError

_PAPER_NAME = re.compile(r"SE_(\d+)_\d+")
_FAR = 1e4
"""A logit at which an excitation with ends has come to them."""


@dataclass(frozen=True, eq=False)
class UnitGates:
    """The gates of one unit.

    Attributes:
        name: in the paper's manner, "SE_4_6": stage and place in it.
        stage: in the paper's numbers.
        place: of the unit in its stage, from 1.
        path: of the unit in the network.
        gates: (images, channels), mean over positions where a gate has several.
        before: (images, channels), means over positions of the map that is gated; None where only gates are known.
        after: likewise, of the map that the block returns.
        ends: the lowest and highest value that the gate can have; None where it has no such ends.
        neutral: the gate that leaves the map as it is: 1, or 0 where gates are added or scale by 1 + gate.
    """

    name: str
    stage: int
    place: int
    path: str
    gates: NDArray[np.float32]
    before: NDArray[np.float32] | None
    after: NDArray[np.float32] | None
    ends: tuple[float, float] | None
    neutral: float = 1.0


@dataclass(frozen=True, eq=False)
class CollectedGates:
    """The gates of a network for the images of a test.

    Attributes:
        labels: (images,) of classes, from 0.
        units: from the first to the last.
        not_probed: blocks that were not read, by their path, with the reason.
    """

    labels: NDArray[np.int64]
    units: tuple[UnitGates, ...]
    not_probed: Mapping[str, str]


@torch.no_grad()
def collect_gates(
    network: nn.Module,
    batches: Iterable[Tensor],
    labels: NDArray[np.int64],
    *,
    stages: Mapping[int, Place] | None = None,
    named: Mapping[str, str] | None = None,
) -> CollectedGates:
    """Run images through a network in evaluation, and return what its gates were.

    Three numbers of 4 bytes are held for each image and channel: 10,000 images of CIFAR take 40 MB in a ResNet-20
    (336 channels), 1.8 GB in a ResNet-50 (15,104).

    Args:
        network: left as it was; what it computes is computed in its own precision.
        batches: (B, C, H, W), as the network takes them, on its device.
        labels: (images,) of classes, in the order of the batches.
        stages: see `find_sources`; where a network does not say them, a stage is a resolution: stage k has a side of
            1/2**k of the image's.
        named: see `find_sources`.

    Raises:
        UserError: the network has no gates that can be read, or images and labels differ in number.
    """
    sources, not_probed = find_sources(network, stages=stages, named=named)
    if not sources:
        why = "".join(f"; {path}: {reason}" for path, reason in not_probed.items())
        raise UserError(f"{type(network).__name__} has no gates to probe{why}")
    recorders = [_Recorder(source) for source in sources]
    was_training, side, images = network.training, 0, 0
    network.eval()
    try:
        with ExitStack() as attached:
            for recorder in recorders:
                attached.enter_context(recorder.attached())
            for batch in batches:
                side, images = max(side, *batch.shape[2:]), images + len(batch)
                network(batch)
    finally:
        network.train(was_training)
    if images != len(labels):
        raise UserError(f"there are {images:,} images and {len(labels):,} labels")
    not_probed |= {r.source.path: why for r in recorders if (why := r.why_unread(images))}
    units = [recorder for recorder in recorders if recorder.source.path not in not_probed]
    if not units:
        path, reason = next(iter(not_probed.items()))
        raise UserError(f"no gates of {type(network).__name__} could be read; {path}: {reason}")
    return CollectedGates(labels, tuple(_in_order(units, side)), not_probed)


def _in_order(recorders: Iterable[_Recorder], side: int) -> Iterator[UnitGates]:
    """Yield what was recorded, with names in the paper's manner, or those of the caller."""
    count: Counter[int] = Counter()
    for recorder in recorders:
        source = recorder.source
        stage, place = source.unit or (recorder.stage(side), 0)
        count[stage] += 1
        place = place or count[stage]
        name = source.path if source.layer == "" else f"SE_{stage}_{place}"
        neutral = 1.0 if getattr(source.module, "scales", True) else 0.0
        yield UnitGates(name, stage, place, source.path, *recorder.arrays(), recorder.ends, neutral)


@dataclass
class _Recorder:
    """What one source has put out so far."""

    source: GateSource
    ends: tuple[float, float] | None = None
    _kept: tuple[list[NDArray[np.float32]], ...] = field(default_factory=lambda: ([], [], []))
    _side: int = 0
    _wrong: str = ""
    _gates: Tensor | None = None

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Listen to the module, which computes as before."""
        module, layer = self.source.module, self.source.layer
        if layer is None:
            computed: Callable[[Tensor], Tensor] = cast(Any, module).weights
            object.__setattr__(module, "weights", partial(self._asked, computed))
            try:
                yield
            finally:
                object.__delattr__(module, "weights")
            return
        hooks = [module.get_submodule(layer).register_forward_hook(self._put_out)]
        if layer:
            hooks.append(module.register_forward_hook(self._passed))
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _asked(self, computed: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        module = self.source.module
        gates = computed(x)
        object.__setattr__(module, "weights", lambda _: gates)  # the block itself says what it makes of them
        try:
            after = module.forward(x)
        finally:
            object.__setattr__(module, "weights", partial(self._asked, computed))
        if self.ends is None:
            self.ends = _ends(getattr(module, "excitation", None), gates)
        self._keep(gates, x, after)
        return gates

    def _put_out(self, layer: nn.Module, inputs: Any, gates: Tensor) -> None:
        if self.ends is None:
            self.ends = _ends(layer.forward, gates)  # not as a call, which we listen to
        self._gates = gates.clone()  # the block may go on with it in place
        if self.source.layer == "":
            self._keep(self._gates, None, None)

    def _passed(self, block: nn.Module, inputs: tuple[Tensor, ...], after: Tensor) -> None:
        assert self._gates is not None
        self._keep(self._gates, inputs[0], after)

    def _keep(self, gates: Tensor, before: Tensor | None, after: Tensor | None) -> None:
        width = gates.shape[1] if before is None else before.shape[1]
        if gates.dim() not in (2, 4) or gates.shape[1] != width:
            shape = " x ".join(map(str, gates.shape[1:]))
            self._wrong = f"it has {shape} gates for each image, and not one for each of {width:,} channels"
            return
        self._side = self._side if before is None else max(self._side, *before.shape[2:])
        for kept, values in zip(self._kept, (gates, before, after), strict=True):
            if values is not None:
                means = values.float().mean(dim=tuple(range(2, values.dim()))) if values.dim() > 2 else values
                kept.append(means.float().cpu().numpy())

    def why_unread(self, images: int) -> str:
        """Return why there is no gate for each of the images; "" where there is."""
        found = sum(map(len, self._kept[0]))
        if not self._wrong and found != images:
            return f"it has {found:,} gates for {images:,} images"
        return self._wrong

    def arrays(
        self,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None, NDArray[np.float32] | None]:
        """Return gates and means before and after."""
        gates, *maps = (np.concatenate(kept) if kept else None for kept in self._kept)
        assert gates is not None
        return gates, maps[0], maps[1]

    def stage(self, side: int) -> int:
        """Return the stage where the network does not say it: by a name in the paper's manner, or by resolution."""
        if self.source.layer == "":
            said = _PAPER_NAME.fullmatch(self.source.path)
            return 1 if said is None else int(said[1])
        return round(math.log2(side / self._side))


def _ends(excitation: Callable[[Tensor], Tensor] | None, like: Tensor) -> tuple[float, float] | None:
    """Return the lowest and highest gate: what an excitation makes of logits far out; None where it has no ends."""
    if excitation is None:
        return None
    logits = like.new_full(like.shape[:2] if like.dim() == 2 else (*like.shape[:2], 1, 1), _FAR)[:1]
    try:
        low, high, lower, higher = (
            float(excitation(sign * logits).float().mean()) for sign in (-1, 1, -2, 2)
        )
    except Exception:  # one that wants other logits has no ends that we know
        return None
    if not (math.isfinite(high - low) and low < high):
        return None
    settled = math.isclose(low, lower, abs_tol=1e-6) and math.isclose(high, higher, abs_tol=1e-6)
    return (low, high) if settled else None
