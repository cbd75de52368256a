"""How much of the images' differences reaches the classifier before training, for each row of a study.

A gate of a half on the shortcut, or around the whole sum, halves the signal once a unit. What is measured is the
standard deviation over images of the features that enter the classifier, at the first weights, as a ratio to that of
the plain network with the same seed; beside it stands the row's error in the record, and how both rank the rows.

    python -m bench.studies.signal_at_start first-epoch
"""

from __future__ import annotations

from pathlib import Path
from statistics import geometric_mean, mean

import torch
from scipy import stats
from torch import Tensor, nn

from ablations.analysis.tables.cells import Number, TableCell, Text, fixed
from ablations.planning.design import Design
from ablations.planning.networks.row import network_row
from ablations.planning.networks.study import network_study
from ablations.running.data.paths import prepared_path
from ablations.running.data.prepared import load
from ablations.running.training.augmentation.network_input import normalise
from bench.pages import markdown_table, write_page
from bench.programs import run_program
from bench.studies.images import spread
from bench.studies.recorded import command_of, errors_of, study_of, study_parser
from senet_core.model import build_model
from senet_core.variants.variant import SEVariant

IMAGES = 256


def main() -> None:
    """Measure every row and write a page into results/STUDY-signal/."""
    parser = study_parser(__doc__.splitlines()[0])
    parser.add_argument("--name", help="of the page's folder in results/, STUDY-signal if not given")
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    asked = parser.parse_args()
    study = study_of(asked)
    recorded = errors_of(study, asked.results_dir)
    signals = measure(study, asked.data_dir)
    errors = {label: mean(e.values()) for label, e in recorded.items()}
    folder = asked.results_dir / (asked.name or f"{asked.study}-signal")
    command = command_of("signal_at_start", asked, "seeds", "name")
    write_page(folder, {"signals": signals, "top1_errors": errors}, page(signals, errors), command)


def measure(study: Design, data_dir: Path) -> dict[str, list[float]]:
    """Return each row's signal as a ratio to the plain network's, seed by seed."""
    data = load(prepared_path(network_study(study.study).baseline.data, data_dir))
    images = normalise(spread(data.train_images, IMAGES), data.mean, data.std)

    def signal(backbone: str, variant: SEVariant | None, seed: int) -> float:
        model = build_model(
            backbone, variant, num_classes=data.num_classes, in_channels=images.shape[1], seed=seed
        )
        return signal_of(model, images, data.num_classes)

    plain = {seed: signal(network_study(study.study).baseline.backbone, None, seed) for seed in study.seeds}
    return {
        row.label: [
            signal(network_row(row).backbone, network_row(row).variant, seed) / plain[seed]
            for seed in study.seeds
        ]
        for row in study.rows
    }


def signal_of(model: nn.Module, images: Tensor, num_classes: int) -> float:
    """Return the standard deviation over images of what enters the classifier, averaged over its inputs."""
    [classifier] = [m for m in model.modules() if isinstance(m, nn.Linear) and m.out_features == num_classes]
    seen: list[Tensor] = []
    handle = classifier.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        model.train()(images)  # batch norm by the batch, as in the first step
    handle.remove()
    return float(seen[0].std(dim=0).mean())


def page(signals: dict[str, list[float]], errors: dict[str, float]) -> str:
    """Return the table, rows by their signal, and the rank correlation."""
    means = {label: geometric_mean(values) for label, values in signals.items()}
    rows = sorted(signals, key=means.__getitem__)
    lines: list[tuple[TableCell, ...]] = []
    for label in rows:
        values = means[label], min(signals[label]), max(signals[label])
        lines.append((Text(label), *(Number(value, 4) for value in values), Number(errors.get(label))))
    text = markdown_table(["variant", "signal", "smallest seed", "largest seed", "top-1 error, %"], lines)
    both = [label for label in rows if label in errors]
    if len(both) > 2:
        found = stats.spearmanr([means[label] for label in both], [errors[label] for label in both])
        text += f"\n\nRank correlation of signal and error over {len(both)} rows: {fixed(found.statistic, 2, True)}."
    return text + (
        f"\n\nSignal: the standard deviation over {IMAGES} training images of the features that enter the classifier,"
        " at the first weights, divided by the plain network's of the same seed; geometric means of the seeds."
    )


if __name__ == "__main__":
    run_program(main)
