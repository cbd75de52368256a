"""Contracts of what an entry computes: shapes, gates, repeatability, gradients, number formats."""

from __future__ import annotations

from operator import le

import torch
from torch import Tensor, nn

from senet_core.blocks.block import SEBlock
from senet_core.blocks.registry import Entry
from senet_core.blocks.whole_block import WholeBlock
from senet_core.contracts.contract import Found, contract
from senet_core.contracts.specimens import Specimen
from senet_core.randomness import drawing_from

SIZES = ((2, 5, 7), (1, 5, 7), (1, 1, 1), (3, 1, 9))
"""Batch, height and width: odd, alone, a single position, a single row."""
SEEDS = 5
BF16_ERROR = 0.05
"""Accepted distance from float32, relative to its norm; bfloat16 has 8 bits, and a unit a handful of layers."""


_CLASS = "register a function, or a class that makes its parameters in __init__(self, channels)"
_PLACE = (
    "register a function of a unit and its input, as those in senet_core/integration.py, and state gates=..."
)


@contract(
    "construction",
    promise="can be built any number of times, each with parameters of its own",
    mend={
        "squeeze": _CLASS,
        "excitation": _CLASS,
        "gate": "register a factory called as build(channels, width=..., bias=...), such as a class that makes its "
        "layers in __init__",
        "integration": _PLACE,
        "fusion": "register a function of a map and its gates",
        "gate_init": "register a function of a gate network, which changes its parameters in place",
        "block": "register a class or factory called as build(channels, width=...)",
    },
)
def construction(specimen: Specimen) -> None:
    """Build an entry, for one channel as well, and see that no two share a parameter."""
    first, second = specimen.make(), specimen.make()
    shared = {id(p) for p in first.parameters()} & {id(p) for p in second.parameters()}
    if shared:
        raise Found(f"two of the kind {specimen} share {len(shared)} parameters")
    for built in (first.squeeze, first.network, first.excitation) if isinstance(first, SEBlock) else ():
        if not callable(built):
            raise Found(f"{type(built).__name__} cannot be called on a tensor")


@contract(
    "odd shapes",
    promise="keeps the map's shape at any size and batch, with finite values",
    mend={
        "squeeze": "reduce over dim=(2, 3) without keepdim, or keep every position; divide by no count that can be 0",
        "excitation": "return a weight for each logit, in the shape of the logits, and divide by nothing that can be 0",
        "gate": "return a logit for each descriptor, in the shape of the descriptors: (N, C), or (N, C, H, W) where "
        "the squeeze keeps positions",
        "integration": "return what the unit without SE returns in shape, and gate one map of the unit",
        "fusion": "return the shape of the map; the gates broadcast to it",
        "gate_init": "keep every parameter's shape, and set finite values",
        "block": "return a map of the shape that came, at any size from 1x1 on",
    },
    needs=("construction",),
)
def odd_shapes(specimen: Specimen) -> None:
    """Compute maps of odd sizes; those of one image only in evaluation, where batch norm knows how."""
    for training, sizes in ((False, SIZES), (True, SIZES[:1])):
        module, plain = (built.train(training) for built in (specimen.make(), specimen.plain()))
        for size in sizes:
            x = specimen.map(*size)
            with torch.no_grad():
                if isinstance(module, SEBlock):
                    _check_steps(module, x)
                y, expected = module(x), plain(x).shape
            if y.shape != expected:
                raise Found(f"{specimen} makes {_shape(y)} of {_shape(x)}, not {tuple(expected)}")
            if not y.isfinite().all():
                raise Found(f"{specimen} makes NaN or infinity of a map {_shape(x)}")


def _check_steps(block: SEBlock, x: Tensor) -> None:
    z = block.squeeze(x)
    described = (x.shape[0], z.shape[1], x.shape[1]) if z.dim() == 3 else x.shape[:2]
    of_tiles = z.dim() == 4 and z.shape[:2] == x.shape[:2] and all(map(le, z.shape[2:], x.shape[2:]))
    if z.shape != described and not of_tiles:
        raise Found(f"the squeeze makes {_shape(z)} of a map {_shape(x)}")
    if z.dim() == 3:
        return  # the gate takes them one by one or all at once: its contract is that of the gates
    logits = block.network(z)
    if logits.shape != z.shape:
        raise Found(f"the gate makes {_shape(logits)} of descriptors {_shape(z)}")


def _excuse_integrations(slot: str, entry: Entry) -> str:
    return (
        "the SE blocks of its units are the paper's, examined by themselves" if slot == "integration" else ""
    )


@contract(
    "gate broadcast",
    promise="gives one weight for each image and channel, (N, C, 1, 1), or for each position too, (N, C, H, W)",
    mend={
        "squeeze": "return (N, C), or the map's own shape: never a mean over images or channels, nor an added axis",
        "excitation": "return as many weights as there are logits: never a mean over images or channels, nor an added "
        "axis",
        "gate": "return as many logits as there are descriptors: never a mean over images or channels, nor an axis",
        "fusion": "the gates come as they are; see the other slots",
        "gate_init": "change values only",
        "block": "expand what weights(x) returns to (N, C, 1, 1) or (N, C, H, W), or leave that method out",
    },
    needs=("odd shapes",),
    excuse=_excuse_integrations,
)
def gate_broadcast(specimen: Specimen) -> None:
    """Look at the gates' shape; a wrong one may still broadcast, and then weighs something else."""
    block = specimen.make()
    if not (isinstance(block, SEBlock) or (isinstance(block, WholeBlock) and block.says_gates)):
        return
    for size in SIZES:
        x = specimen.map(*size)
        with torch.no_grad():
            weights = block.weights(x)
        if weights.shape not in ((*x.shape[:2], 1, 1), x.shape):
            raise Found(f"{specimen} has weights {_shape(weights)} for a map {_shape(x)}")


@contract(
    "input kept",
    promise="leaves the map that it is given as it was",
    mend="use x.clamp(...) for x.clamp_(...) and x * w for x *= w on what the entry did not make itself",
    needs=("odd shapes",),
)
def input_kept(specimen: Specimen) -> None:
    """Compare the input with a copy from before; the shortcut or the next branch may still read it."""
    for training in (False, True):
        x = specimen.map()
        before = x.clone()
        with torch.no_grad():
            specimen.make(training=training)(x)
        if not torch.equal(x, before):
            raise Found(f"{specimen} changes its input in place")


@contract(
    "determinism",
    promise="computes the same output twice, bit for bit, and in training too when torch is seeded",
    mend="draw random numbers with torch's generator only, and in training mode only (self.training)",
    needs=("input kept",),
)
def determinism(specimen: Specimen) -> None:
    """Run one twice in evaluation; then build and run two in training under one seed."""
    module, x = specimen.make(), specimen.map()
    with torch.no_grad():
        if not torch.equal(module(x), module(x)):
            raise Found(f"{specimen} computes something else the second time, in evaluation")
        outputs = []
        for _ in range(2):
            trained = specimen.make(training=True)
            with drawing_from(0, "forward"):
                outputs.append(trained(x))
    if not torch.equal(*outputs):
        raise Found(f"{specimen} computes something else under the same seed, in training")


@contract(
    "images apart",
    promise="computes an image's output from that image alone in evaluation",
    mend={
        "squeeze": "reduce over positions, never over dim=0; keep statistics of the batch in buffers",
        "excitation": "normalise over channels or positions, never over dim=0; keep statistics of the batch in buffers",
        "gate": "let layers act on channels or positions, never on dim=0; keep statistics of the batch in buffers",
        "integration": "combine maps position by position, never over dim=0; keep statistics of the batch in buffers",
        "fusion": "combine map and gates position by position, never over dim=0",
        "gate_init": "change values only",
        "block": "reduce over positions or channels, never over dim=0; keep statistics of the batch in buffers",
    },
    needs=("determinism",),
)
def images_apart(specimen: Specimen) -> None:
    """Compare a batch with its images one by one: test errors must not depend on the batch."""
    module, x = specimen.make(), specimen.map(3)
    with torch.no_grad():
        together, alone = module(x), torch.cat([module(image[None]) for image in x])
    if not agree(together, alone):
        raise Found(f"{specimen} makes something else of an image when others are in its batch")


@contract(
    "dead channels",
    promise="has finite outputs and gradients on maps and channels that are zero everywhere",
    mend="roots, logarithms and norms have no finite slope at 0: clamp first, as in x.clamp_min(1e-6).sqrt()",
    needs=("input kept",),
)
def dead_channels(specimen: Specimen) -> None:
    """Differentiate at zero, which ReLU gives often; one NaN there ends a training run."""
    some = specimen.map()
    some[:, ::2] = 0
    for kind, values in (("zeros", torch.zeros_like(some)), ("a map with dead channels", some)):
        module, x = specimen.make(training=True), values.clone().requires_grad_()
        y = module(x)
        if not y.isfinite().all():
            raise Found(f"{specimen} makes NaN or infinity of {kind}")
        y.sum().backward()
        for name, tensor in (("its input", x), *module.named_parameters()):
            if tensor.grad is not None and not tensor.grad.isfinite().all():
                raise Found(f"in {specimen} the gradient of {name} is NaN or infinite for {kind}")


@contract(
    "gradients",
    promise="leaves no parameter without a gradient",
    mend="use every parameter on the way to the output, without detach(), rounding or comparisons; what is not"
    " learned is a buffer",
    needs=("determinism",),
)
def gradients(specimen: Specimen) -> None:
    """Differentiate under a few seeds: half of a ReLU's gates are shut, but not the same ones every time."""
    moved: dict[str, bool] = {}
    for seed in range(SEEDS):
        module = specimen.make(seed=seed, training=True)
        differentiate(module, specimen.map(seed=seed))
        for name, parameter in trainable(module).items():
            if parameter.grad is None:
                raise Found(f"in {specimen} no gradient reaches {name}")
            moved[name] = moved.get(name, False) or bool(parameter.grad.any())
    still = [name for name, ever in moved.items() if not ever]
    if still and specimen.learns_at_once:
        raise Found(f"in {specimen} the gradient of {still[0]} is 0 under each of {SEEDS} seeds")


@contract(
    "bf16 autocast",
    promise="makes bfloat16 of a bfloat16 map under autocast, near to what float32 gives",
    mend="cast parameters and constants to the dtype of what they meet: self.scale.to(x.dtype)",
    needs=("determinism",),
)
def bf16_autocast(specimen: Specimen) -> None:
    """Compare with float32: a gate in float32 would make every later map float32, in twice the memory."""
    module, x = specimen.make(), specimen.map()
    exact = differentiate(module, x)
    for dtype in (torch.bfloat16, torch.float32):
        with torch.autocast("cpu", torch.bfloat16):
            y = differentiate(module, x.detach().to(dtype))
        if dtype is torch.bfloat16 and y.dtype is not dtype:
            raise Found(f"{specimen} makes {y.dtype} of a {dtype} map")
        error = float((y.float() - exact).norm() / exact.norm().clamp_min(1e-6))
        if not error <= BF16_ERROR:
            raise Found(f"{specimen} is {error:.0%} away from its float32 output")


@contract(
    "channels last",
    promise="keeps the channels_last memory format of a map",
    mend="leave out contiguous() and view(); use reshape, permute and flatten on what does not become the output",
    needs=("input kept",),
)
def channels_last(specimen: Specimen) -> None:
    """Look at the output's strides: a change costs a copy in every block."""
    for training in (False, True):
        x = specimen.map().to(memory_format=torch.channels_last)
        with torch.no_grad():
            y = specimen.make(training=training)(x)
        if not y.is_contiguous(memory_format=torch.channels_last):
            raise Found(f"{specimen} makes strides {y.stride()} for shape {_shape(y)} of a channels_last map")


def differentiate(module: nn.Module, x: Tensor) -> Tensor:
    """Run a module forward and backward; return its output."""
    y: Tensor = module(x.requires_grad_())
    weight = torch.linspace(-1, 2, y.numel()).view_as(y)  # batch norm hides the gradient of a plain sum
    if y.requires_grad:
        torch.autograd.backward((y * weight).sum())
    return y.detach()


def trainable(module: nn.Module) -> dict[str, nn.Parameter]:
    """Return the parameters that are to be learned."""
    return {name: p for name, p in module.named_parameters() if p.requires_grad}


def agree(one: Tensor, other: Tensor) -> bool:
    """Compare up to the order of additions."""
    return one.shape == other.shape and torch.allclose(one, other, rtol=1e-4, atol=1e-5)


def _shape(x: Tensor) -> tuple[int, ...]:
    return tuple(x.shape)
