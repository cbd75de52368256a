"""Optimisers that a recipe may name, and which fields each of them reads. How they step is in `running`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from senet_core.errors import unknown


@dataclass(frozen=True)
class OptimizerFacts:
    """What is known of an optimiser without building it.

    Attributes:
        source: where it was published.
        reads: the fields of a recipe that act on it and not on every other.
        betas: what `betas` is where a recipe does not say it; empty where it reads none.
        eps: what `eps` is where a recipe does not say it; 0 where it reads none.
    """

    source: str
    reads: tuple[str, ...]
    betas: tuple[float, ...] = ()
    eps: float = 0.0


OPTIMIZERS = {
    "sgd": OptimizerFacts(
        "torch.optim.SGD; momentum and Nesterov's form: Sutskever et al. 2013, ICML 28, p. 1139",
        reads=("momentum", "nesterov"),
    ),
    "adamw": OptimizerFacts(
        "torch.optim.AdamW; Loshchilov and Hutter 2019, arXiv:1711.05101",
        reads=("betas", "eps"),
        betas=(0.9, 0.999),
        eps=1e-8,
    ),
    "lion": OptimizerFacts(
        "timm's (pip install 'senet-ablations[zoo]'); Chen et al. 2023, arXiv:2302.06675",
        reads=("betas",),
        betas=(0.9, 0.99),
    ),
    "muon": OptimizerFacts(
        "torch.optim.Muon, from torch 2.9 on; Jordan et al. 2024, kellerjordan.github.io/posts/muon, with the rates of "
        "Liu et al. 2025, arXiv:2502.16982. A convolution is the matrix of its filters. The first convolution, the "
        "classifier, batch norms and biases are trained by AdamW with the same rate.",
        reads=("momentum", "nesterov", "betas", "eps"),
        betas=(0.9, 0.999),
        eps=1e-8,
    ),
}
"""By the name that a recipe gives."""

SPECIAL = ("momentum", "nesterov", "betas", "eps")
"""Fields of a recipe that only some optimisers read."""


def readers(field: str) -> str:
    """Return the optimisers that read a field, in words: "adamw, lion and muon"."""
    *most, last = (name for name, facts in OPTIMIZERS.items() if field in facts.reads)
    return f"{', '.join(most)} and {last}" if most else last


def _known(name: str) -> str:
    if name not in OPTIMIZERS:
        raise unknown("optimizer", name, OPTIMIZERS)
    return name


OptimizerName = Annotated[
    str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(OPTIMIZERS)})
]
