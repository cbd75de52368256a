"""Error after removing channels with the lowest and with the highest worth by each ranking, without any training on.

Where both ends cost the same, the ranking says nothing of the channels. Beside it stands how the mean gate goes with
the other two over the channels of a layer. The study must have kept its networks.

    python -m bench.studies.gate_order gates --row "SE_3x3 r=4 resnet20" --seeds 3
"""

from __future__ import annotations

import copy
from pathlib import Path
from statistics import mean

import torch
from torch import Tensor, nn

from ablations.analysis.tables.cells import Number, Text, fixed
from ablations.api.networks import load_network
from ablations.planning.networks.study import network_study
from ablations.running.data.paths import prepared_path
from ablations.running.data.prepared import Prepared, load
from ablations.running.training.augmentation.network_input import normalise
from bench.pages import markdown_table, write_page
from bench.programs import run_program
from bench.studies.images import spread
from bench.studies.recorded import command_of, study_of, study_parser
from senet_core.pruning.gates import mean_gates
from senet_core.pruning.groups import Dependencies
from senet_core.pruning.prune import prunable
from senet_core.pruning.rankings import RANKINGS, Evidence
from senet_core.pruning.ratio import removed_of

IMAGES, RATIO = 1_000, 0.25
ORDERED = ("gate", "l1", "batch-norm")


def main() -> None:
    """Measure every seed's network and write a page into results/STUDY-gate-order/."""
    parser = study_parser(__doc__.splitlines()[0])
    parser.add_argument("--row", required=True, help="whose networks")
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    asked = parser.parse_args()
    study = study_of(asked)
    data = load(prepared_path(network_study(study.study).baseline.data, asked.data_dir))
    found = [
        measure(load_network(asked.study, asked.row, seed=seed, results_dir=asked.results_dir), data)
        for seed in study.seeds
    ]
    content = {"row": asked.row, "images": IMAGES, "ratio": RATIO, "networks": found}
    command = f"{command_of('gate_order', asked, 'seeds')} --row {asked.row!r}"
    write_page(asked.results_dir / f"{asked.study}-gate-order", content, page(found), command)


def measure(network: nn.Module, data: Prepared) -> dict[str, dict[str, list[float]]]:
    """Return the errors in per cent by ranking, [lowest removed, highest removed], and correlations by layer."""
    train, test = (
        normalise(spread(images, IMAGES), data.mean, data.std)
        for images in (data.train_images, data.test_images)
    )
    labels = spread(data.test_labels, IMAGES)
    evidence = Evidence(mean_gates(network, [train]))
    groups = prunable(Dependencies(network, data.image_shape).groups())
    worth = {name: [RANKINGS[name].build(group, evidence) for group in groups] for name in ORDERED}
    errors = {
        name: [error(without(network, worth[name], sign, data.image_shape), test, labels) for sign in (1, -1)]
        for name in ORDERED
    }
    beside = {
        name: [torch.corrcoef(torch.stack(pair))[0, 1].item() for pair in zip(worth["gate"], of, strict=True)]
        for name, of in worth.items()
        if name != "gate"
    }
    return {"errors": errors, "correlations": beside}


def without(
    network: nn.Module, worth: list[Tensor], sign: int, image_shape: tuple[int, int, int]
) -> nn.Module:
    """Return a copy without the channels of the lowest worth times `sign`."""
    left = copy.deepcopy(network)
    dependencies = Dependencies(left, image_shape)
    for group, values in zip(prunable(dependencies.groups()), worth, strict=True):
        order = (sign * values).argsort(stable=True).tolist()
        dependencies.remove(group, tuple(sorted(order[: removed_of(group.channels, RATIO)])))
    return left.eval()


@torch.no_grad()
def error(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the top-1 error in per cent."""
    return 100 * float((network(images).argmax(1) != labels).double().mean())


def page(found: list[dict[str, dict[str, list[float]]]]) -> str:
    """Return the table of both ends by ranking, with what was removed in a sentence."""
    lines = []
    for name in ORDERED:
        lowest, highest = ([one["errors"][name][end] for one in found] for end in (0, 1))
        beside = [value for one in found for value in one["correlations"].get(name, [])]
        span = f"{fixed(min(beside), 2, True)} to {fixed(max(beside), 2, True)}" if beside else ""
        lines.append((Text(name), Number(mean(lowest), 1), Number(mean(highest), 1), Text(span)))
    heads = ["ranking", "lowest removed, %", "highest removed, %", "correlation with the mean gate, by layer"]
    return markdown_table(heads, lines) + (
        f"\n\nTop-1 error on {IMAGES:,} test images after removing {RATIO:.0%} of the gated channels of every layer and"
        f" no training on; mean over {len(found)} networks."
    )


if __name__ == "__main__":
    run_program(main)
