"""One trial: a trained network is pruned, tested, trained on, and tested again."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ablations.experiments.pruning.costs import size_of
from ablations.experiments.pruning.kept import kept_line
from ablations.planning.networks.trial import NetworkTrial
from ablations.running.data import Prepared, open_prepared
from ablations.running.machine.cuda.device import CUDA_FIELDS, prepare_device
from ablations.running.machine.environment import describe_environment
from ablations.running.machine.kernels import NO_KERNELS
from ablations.running.record.trial_record import EpochMetrics
from ablations.running.training.augmentation.network_input import normalise
from ablations.running.training.batches import Batches
from ablations.running.training.building import kept_network
from ablations.running.training.checkpoint import Checkpoints, Supervisor
from ablations.running.training.evaluation import TEST_BATCH, evaluate
from ablations.running.training.trainer import Observer, Trainer
from senet_core.latency import measure_latency
from senet_core.pruning.gates import mean_gates
from senet_core.pruning.prune import prune_channels
from senet_core.pruning.rankings import Evidence
from senet_core.randomness import drawing_from, stream_seed

if TYPE_CHECKING:
    from ablations.experiments.pruning.kind import Pruning, PruningPlaces
    from ablations.planning.experiment import Context

_LATENCY_PASSES, _LATENCY_SECONDS = 50, 2.0


def pruned_and_tested(
    experiment: Pruning, ranking: str, ratio: float, context: Context, places: PruningPlaces
) -> Mapping[str, float]:
    """Prune the network of a trial's seed, train it on, test it, and return what was measured.

    Networks, random rankings, order and augmentation of the images are those of the seed, whatever the ranking.

    Raises:
        Stopped: as it was asked to, with its state saved.
        ArithmeticError: the training diverged.
        UserError: the network cannot be pruned.
    """
    torch.set_num_threads(context.threads)
    device = torch.device(context.device)
    line = kept_line(experiment.trained, context.seed, places.results_dir)
    trained = NetworkTrial.from_json(line.trial)
    data = open_prepared(
        trained.data.located(places.images), places.data_dir, places.data_digest, seed=trained.seed
    )
    full = kept_network(places.results_dir / experiment.trained.study.name, line).to(device)
    model = copy.deepcopy(full)
    prune_channels(
        model,
        ranking=ranking,
        ratio=ratio,
        image_shape=data.image_shape,
        evidence=_evidence(
            model, data, context.seed, images=experiment.gate_images if ranking == "gate" else 0
        ),
    )
    model = model.to(memory_format=torch.channels_last)
    precision = trained.recipe.precision
    before, *_ = evaluate(model, data, device, precision)
    recipe = experiment.recipe.in_precision(precision)
    fine_tuned = NetworkTrial(
        trained.backbone,
        trained.variant,
        trained.data,
        recipe,
        stream_seed(context.seed, "fine-tuning"),  # not the first epochs of the training once more
        trained.plugins,
    )
    trainer = Trainer(model, recipe, Batches(data, fine_tuned, device), device, precision)
    _train(trainer, context, same={"data": data.digest, "device": str(device), "weights": line.key})
    top1, top5, _, known = evaluate(trainer.tested, data, device, precision)
    context.outcomes(known)
    outlines = [copy.deepcopy(network).to("meta") for network in (trainer.tested, full)]
    sizes, full_sizes = (size_of(network, data.image_shape) for network in outlines)
    latency, full_latency = _latencies(trainer.tested, full, data, device)
    assert line.result is not None
    return {
        "top1_error": top1,
        **({} if top5 is None else {"top5_error": top5}),
        "error_before_fine_tuning": before,
        "latency_ms": latency,
        "parameters": sizes[0],
        "multiply_adds": sizes[1],
        "train_loss": trainer.history[-1].train_loss,
        "full_top1_error": line.result.value("top1_error") or 0.0,
        "full_parameters": full_sizes[0],
        "full_multiply_adds": full_sizes[1],
        "full_latency_ms": full_latency,
    }


def _evidence(model: nn.Module, data: Prepared, seed: int, *, images: int) -> Evidence:
    """Return what rankings use: the mean gates over some training images, and random numbers."""
    generator = torch.Generator().manual_seed(stream_seed(seed, "pruning"))
    if not images:
        return Evidence(generator=generator)
    drawn = torch.Generator().manual_seed(stream_seed(seed, "gate images"))
    chosen = torch.randperm(len(data.train_labels), generator=drawn)[:images]
    device = next(model.parameters()).device

    def batches() -> Iterator[Tensor]:
        for start in range(0, len(chosen), TEST_BATCH):
            yield normalise(
                data.train_images[chosen[start : start + TEST_BATCH]].to(device), data.mean, data.std
            )

    return Evidence(mean_gates(model, batches()), generator)


def _train(trainer: Trainer, context: Context, *, same: Mapping[str, str]) -> None:
    """Train to the end, from the newest checkpoint of an earlier attempt on the same machine if there is one."""
    device, precision, threads = trainer.device, trainer.precision, torch.get_num_threads()
    here = {
        **describe_environment(device=device, precision=precision, threads=threads, kernels=NO_KERNELS),
        **prepare_device(device, precision),
    }
    checkpoints = Checkpoints(
        context.folder / "checkpoints", {**same, **{name: here[name] for name in _SAME if name in here}}
    )
    supervisor = Supervisor(checkpoints, stop=context.should_stop)

    def tell(epoch: EpochMetrics) -> None:
        told = {"train_loss": epoch.train_loss, "train_error": epoch.train_error, "lr": epoch.lr}
        if epoch.validation_error is not None:
            told["validation_error"] = epoch.validation_error
        context.report(epoch.epoch, **told)

    with drawing_from(context.seed, "noise", device=trainer.device):
        saved = checkpoints.newest()
        if saved is not None:
            trainer.restore(saved)
        trainer.run(Observer(tell), supervisor)


_SAME = (
    "source",
    "senet-ablations",
    "precision",
    "threads",
    "torch",
    "torchvision",
    "processor",
    *CUDA_FIELDS,
)
"""What must be the same for a continued training to end as an uninterrupted one."""


def _latencies(
    pruned: nn.Module, full: nn.Module, data: Prepared, device: torch.device
) -> tuple[float, float]:
    """Return the median time of one image through the pruned network and through the full one, in ms, timed in turn."""
    timed = measure_latency(
        {"pruned": pruned, "full": full},
        batch_shape=(1, *data.image_shape),
        repetitions=_LATENCY_PASSES,
        limit_seconds=_LATENCY_SECONDS,
        device=device,
    )
    return timed["pruned"].median, timed["full"].median
