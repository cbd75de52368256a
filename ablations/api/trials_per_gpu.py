"""How many trials of a study are to share a GPU, by a probe of its largest network on one."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Executor
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.running.cost.trials_per_gpu import chosen, in_words, measured
from ablations.running.machine.cores import available_cores
from ablations.running.machine.cuda.mps import MOST_CLIENTS
from senet_core.errors import UserError, typed_line

if TYPE_CHECKING:
    from ablations.api.sweeping import RunOptions
    from ablations.planning.design import Design
    from ablations.planning.networks.row import NetworkRow

PROBE_SECONDS = 4.0


def choose_trials_per_gpu(
    design: Design,
    trials: float,
    options: RunOptions,
    say: Callable[[str], None],
    make_executor: Callable[[int], Executor],
    gpus: int,
) -> int:
    """Return how many trials share a GPU, and say what was measured.

    Args:
        design: the study.
        trials: that are to be trained, at the most; nothing is measured for less than two on a GPU.
        options: where and how trials run.
        say: called with a line of text.
        make_executor: opens so many workers on one GPU.
        gpus: their number.

    Raises:
        UserError: the study trains no networks.
    """
    from ablations.planning.networks.study import NetworkStudy

    if not isinstance(design.study, NetworkStudy):
        raise UserError("`trials_per_gpu=auto` is for studies that train networks; give a number")
    most = min(MOST_CLIENTS, available_cores() // gpus, ceil(trials / gpus))
    if most < 2:
        return 1
    from ablations.running.cost.gpu_probe import measure_at_once
    from ablations.running.cost.probe import Probe
    from ablations.running.training.refusals.untrainable import possible_rows

    row = _largest(tuple(possible_rows(design)))
    trial = row.trial(next(iter(design.seeds), 0))
    probe = Probe(
        trial.to_json(),
        trial.recipe.batch_size,
        PROBE_SECONDS,
        Path(options.data_dir).absolute(),
        design.study.plugins,
        options.kernels,
        trial.data.images,
    )
    try:
        found = measured(lambda trials: measure_at_once(trials, probe, make_executor), most)
    except Exception as error:  # foreign code may raise anything; its trials will tell
        say(f"one trial on a GPU: {row.label} could not be timed: {typed_line(error)}")
        return 1
    say(in_words(found, row.label))
    return chosen(found)


def _largest(rows: Collection[NetworkRow]) -> NetworkRow:
    """Return the row whose step has the most multiply-adds: about the one that takes the most memory."""
    from ablations.running.training.networks import Networks

    networks = Networks()

    def work(row: NetworkRow) -> float:
        made_of = networks.structure(row)
        return 0.0 if made_of is None else made_of.multiply_adds * row.recipe.batch_size

    return max(rows, key=work)
