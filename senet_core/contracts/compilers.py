"""Contracts of compilation: torch.compile and torch.export."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from senet_core.blocks.registry import Entry
from senet_core.contracts.behaviour import agree, differentiate, trainable
from senet_core.contracts.contract import Found, contract
from senet_core.contracts.specimens import Specimen


def _excuse_where_there_is_no_compiler(slot: str, entry: Entry) -> str:
    from torch._dynamo.eval_frame import is_dynamo_supported

    return "" if is_dynamo_supported() else "torch.compile does not support this Python"


@contract(
    "torch.compile",
    promise="is one graph for torch.compile, with the outputs and gradients of the plain code",
    mend="take no decision on a tensor's values (torch.where instead of if), and call torch's functions only",
    needs=("gradients",),
    excuse=_excuse_where_there_is_no_compiler,
)
def compiles(specimen: Specimen) -> None:
    """Compile the whole without graph breaks, by the backend that runs the graph as it is."""
    if not specimen.traced:
        return
    module, twin = specimen.make(), specimen.make()
    torch.compiler.reset()  # the classes were compiled for other entries, and their number is limited
    compiled = cast(nn.Module, torch.compile(twin, backend="eager", fullgraph=True))
    if not agree(differentiate(module, specimen.map()), differentiate(compiled, specimen.map())):
        raise Found(f"{specimen} computes something else when compiled")
    others = trainable(twin)
    for name, parameter in trainable(module).items():
        mine, their = parameter.grad, others[name].grad
        if mine is not None and (their is None or not agree(mine, their)):
            raise Found(f"in {specimen} the gradient of {name} is another when compiled")


@contract(
    "torch.export",
    promise="can be exported by torch.export for any batch, with the same output",
    mend="use sizes as they come (x.shape[0], never int(...) or a list for each image) and draw no numbers",
    needs=("determinism",),
)
def exports(specimen: Specimen) -> None:
    """Export with a batch of free size, and run the program on other batches."""
    if not specimen.traced:
        return
    module, batch = specimen.make(), torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(module, (specimen.map(3),), dynamic_shapes=({0: batch},), strict=False)
    exported = program.module()
    for size in (3, 2, 5):
        x = specimen.map(size)
        with torch.no_grad():
            if not agree(module(x), exported(x)):
                raise Found(f"{specimen} computes something else when exported, for a batch of {size}")
