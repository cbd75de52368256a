"""Contracts of copies: deep copies, pickles, other processes and state dicts."""

from __future__ import annotations

import copy
import io
import pickle

import torch
from torch import Tensor, nn

from senet_core.blocks.registry import Entry
from senet_core.contracts.behaviour import agree, differentiate
from senet_core.contracts.contract import Found, contract
from senet_core.contracts.fresh_process import output_elsewhere
from senet_core.contracts.specimens import Specimen


@contract(
    "deep copy",
    promise="can be copied by copy.deepcopy, after a training step too, and shares nothing with the copy",
    mend="keep no tensor of a forward pass on self (self.last = gates.detach() at most), and no lock or open file",
    needs=("determinism",),
)
def deep_copy(specimen: Specimen) -> None:
    """Copy what has been trained: averages of weights and ensembles do."""
    original = _used(specimen)
    twin = copy.deepcopy(original)
    shared = {t.data_ptr() for t in _tensors(original)} & {t.data_ptr() for t in _tensors(twin)}
    if shared:
        raise Found(f"{specimen} and its copy share {len(shared)} tensors")
    _compare(specimen, original, twin, "its deep copy")


@contract(
    "pickling",
    promise="can be pickled, and computes the same afterwards",
    mend="register what has a name at the top of its module: no lambda, no function or class inside a function,"
    " no handle of the system on self",
    needs=("determinism",),
)
def pickling(specimen: Specimen) -> None:
    """Pickle and unpickle in this process."""
    original = _used(specimen)
    _compare(specimen, original, pickle.loads(pickle.dumps(original)), "what was pickled")


def _excuse_what_is_registered_by_hand(slot: str, entry: Entry) -> str:
    module = str(getattr(entry.build, "__module__", ""))
    if entry.origin.kind == "built-in" and module.partition(".")[0] != "senet_core":
        return "it is registered by the running program; another process finds only files, packages and built-ins"
    return ""


@contract(
    "fresh process",
    promise="computes the same in a new process that has loaded the plug-in",
    mend="depend on nothing that only this process has: changed module variables, the working folder, the"
    " environment",
    needs=("pickling",),
    excuse=_excuse_what_is_registered_by_hand,
)
def fresh_process(specimen: Specimen) -> None:
    """Send one to a spawned process, as sweeps start their workers."""
    original, x = _used(specimen).eval(), specimen.map()
    with torch.no_grad():
        expected = original(x)
    if not agree(expected, output_elsewhere(original, x, specimen.entry.origin)):
        raise Found(f"{specimen} computes something else there")


@contract(
    "state dict",
    promise="has everything that its output depends on in its state dict",
    mend="register tensors with register_buffer or as nn.Parameter, and derive nothing from them in __init__",
    needs=("determinism",),
)
def state_dict(specimen: Specimen) -> None:
    """Save, read back into one of other weights, and compare."""
    original, other = _used(specimen), specimen.make(seed=1)
    file = io.BytesIO()
    torch.save(original.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    _compare(specimen, original, other, "one with the same state dict")


def _used(specimen: Specimen) -> nn.Module:
    """Make one that has been through a training step."""
    module = specimen.make(training=True)
    differentiate(module, specimen.map(seed=1))
    return module


def _compare(specimen: Specimen, original: nn.Module, other: nn.Module, which: str) -> None:
    x = specimen.map()
    with torch.no_grad():
        if not torch.equal(original.eval()(x), other.eval()(x)):
            raise Found(f"{specimen} and {which} compute different outputs")


def _tensors(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(), *module.buffers()]
