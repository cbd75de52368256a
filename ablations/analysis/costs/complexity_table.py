"""Costs of networks beside the paper's: parameters, multiply-adds, activations and measured times."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ablations.analysis.costs.paper_networks import PaperNetwork
from senet_core.latency import REPETITIONS, Latency
from senet_core.variants.text import variant_text
from senet_core.variants.variant import SEVariant

TOLERANCE_MILLIONS = 0.12
"""Parameters may differ from the printed figure by so many millions; it is printed to a tenth, not always rounded."""
TOLERANCE_PER_CENT = 1.0
"""Multiply-adds may differ from the printed figure by so much."""

CONVENTION = (
    "Parameters: learnable ones. Multiply-adds: of convolutions and matrix products for one image, as torch's "
    "flop counter counts them, halved; the paper's GFLOPs are multiply-adds too. Activations: bytes that one image "
    "more in a batch adds to what a float32 training step keeps for its backward pass."
)


@dataclass(frozen=True)
class NetworkCost:
    """What one network costs.

    Attributes:
        parameters: learnable ones.
        multiply_adds: of one image.
        activation_bytes: that training keeps for one image, float32.
    """

    parameters: int
    multiply_adds: int
    activation_bytes: int


@dataclass(frozen=True)
class LatencyTiming:
    """How latencies are to be measured.

    Attributes:
        batch: images in the larger of the two batches; the other has one.
        repetitions: timed passes of every network.
        threads: of torch; None leaves them as they are.
        limit_seconds: for one batch and precision of one backbone, after which there are three passes only.
    """

    batch: int = 32
    repetitions: int = REPETITIONS
    threads: int | None = None
    limit_seconds: float = 60

    @property
    def settings(self) -> tuple[tuple[int, str], ...]:
        """Batches and precisions to time; fp32 first, as a network that was rounded to bf16 stays so."""
        batches = dict.fromkeys((1, self.batch))
        return tuple((batch, precision) for precision in ("fp32", "bf16") for batch in batches)


@dataclass(frozen=True)
class CostRow:
    """A network's costs, the plain network's, and the paper's figures.

    Attributes:
        network: with the paper's figures.
        cost: ours.
        plain: ours, of the network without SE blocks.
        latencies: one for each batch and precision; empty where nothing was timed.
        plain_latencies: the same of the network without SE blocks, timed in turn.
    """

    network: PaperNetwork
    cost: NetworkCost
    plain: NetworkCost
    latencies: tuple[Latency, ...] = ()
    plain_latencies: tuple[Latency, ...] = ()

    @property
    def parameter_difference(self) -> float | None:
        """Ours minus the paper's, in millions."""
        printed = self.network.parameters_millions
        return None if printed is None else self.cost.parameters / 1e6 - printed

    @property
    def multiply_add_difference(self) -> float | None:
        """Ours over the paper's, in per cent."""
        printed = self.network.giga_multiply_adds
        return None if printed is None else over(self.cost.multiply_adds / 1e9, printed)

    @property
    def outside(self) -> tuple[str, ...]:
        """The figures that are outside the tolerances: "parameters", "multiply-adds"."""
        found = (
            ("parameters", self.parameter_difference, TOLERANCE_MILLIONS),
            ("multiply-adds", self.multiply_add_difference, TOLERANCE_PER_CENT),
        )
        return tuple(name for name, by, most in found if by is not None and abs(by) > most)

    def to_json(self) -> dict[str, Any]:
        """Return every figure, for programs."""
        is_plain = self.network.variant is None
        pairs = zip(self.latencies, self.plain_latencies, strict=True)
        return {
            "row": self.network.row,
            "backbone": self.network.backbone,
            "variant": variant_text(self.network.variant),
            "image_size": self.network.image_size,
            "parameters": self.cost.parameters,
            "parameters_over_plain_per_cent": over(self.cost.parameters, self.plain.parameters),
            "multiply_adds": self.cost.multiply_adds,
            "multiply_adds_over_plain_per_cent": over(self.cost.multiply_adds, self.plain.multiply_adds),
            "activation_bytes": self.cost.activation_bytes,
            "activations_over_plain_per_cent": over(self.cost.activation_bytes, self.plain.activation_bytes),
            "paper": {
                "parameters_millions": self.network.parameters_millions,
                "parameter_difference_millions": self.parameter_difference,
                "giga_multiply_adds": self.network.giga_multiply_adds,
                "multiply_add_difference_per_cent": self.multiply_add_difference,
                "cpu_milliseconds": self.network.cpu_milliseconds,
                "outside_tolerance": list(self.outside),
                "reason": self.network.reason,
            },
            "latencies": [
                {
                    "batch": mine.batch,
                    "precision": mine.precision,
                    "device": mine.device,
                    "threads": mine.threads,
                    "median_milliseconds": mine.median,
                    "quartiles_milliseconds": list(mine.quartiles),
                    "over_plain_per_cent": 0.0 if is_plain else mine.over(plain),
                    "milliseconds": list(mine.milliseconds),
                }
                for mine, plain in pairs
            ],
        }


def over(value: float, base: float) -> float:
    """Return by how many per cent a value is above another."""
    return 100 * (value / base - 1)


def cost_rows(
    networks: Sequence[PaperNetwork],
    *,
    num_classes: int = 1000,
    timing: LatencyTiming | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> list[CostRow]:
    """Count, and on request time, networks and their plain counterparts.

    Args:
        networks: in the order of the table; those of one backbone that follow each other are timed in turn.
        num_classes: outputs.
        timing: None for no timing.
        say: told what is done.

    Raises:
        UserError: a name is unknown, or a variant is not possible in its backbone.
    """
    rows: list[CostRow] = []
    for (backbone, side), group in groupby(
        networks, key=lambda network: (network.backbone, network.image_size)
    ):
        members = list(group)
        variants = dict.fromkeys([None, *(network.variant for network in members)])
        say(f"counting {backbone}")
        costs = {variant: _cost(backbone, variant, side, num_classes) for variant in variants}
        times: dict[SEVariant | None, tuple[Latency, ...]] = dict.fromkeys(variants, ())
        if timing is not None:
            times = _times(backbone, variants, side, num_classes, timing, say)
        rows += [
            CostRow(one, costs[one.variant], costs[None], times[one.variant], times[None]) for one in members
        ]
    return rows


def _cost(backbone: str, variant: SEVariant | None, side: int, num_classes: int) -> NetworkCost:
    from senet_core.complexity import measure_activations, measure_complexity

    shape = (3, side, side)
    counted = measure_complexity(backbone, variant, image_shape=shape, num_classes=num_classes)
    kept = measure_activations(backbone, variant, image_shape=shape, num_classes=num_classes)
    return NetworkCost(counted.parameters, counted.multiply_adds, kept)


def _times(
    backbone: str,
    variants: Iterable[SEVariant | None],
    side: int,
    num_classes: int,
    timing: LatencyTiming,
    say: Callable[[str], None],
) -> dict[SEVariant | None, tuple[Latency, ...]]:
    from senet_core.latency import measure_latency
    from senet_core.model import build_model

    built = {variant: build_model(backbone, variant, num_classes=num_classes, seed=0) for variant in variants}
    models = {variant_text(variant): model for variant, model in built.items()}
    taken: dict[SEVariant | None, list[Latency]] = {variant: [] for variant in built}
    for batch, precision in timing.settings:
        say(f"timing {backbone}, batch {batch}, {precision}")
        measured = measure_latency(
            models,
            batch_shape=(batch, 3, side, side),
            precision=precision,
            repetitions=timing.repetitions,
            limit_seconds=timing.limit_seconds,
            threads=timing.threads,
        )
        for variant, latencies in taken.items():
            latencies.append(measured[variant_text(variant)])
    return {variant: tuple(latencies) for variant, latencies in taken.items()}
