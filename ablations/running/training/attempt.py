"""One attempt at a trial: it is trained from its newest checkpoint, and any error becomes a failure in its outcome."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ablations.errors import DataError
from ablations.planning.networks.trial import NetworkTrial
from ablations.planning.networks.used_plugins import check_plugins
from ablations.running.data import Prepared, open_prepared
from ablations.running.data.content import changed_in_place, check_content, file_state
from ablations.running.machine.cuda.determinism import noting_nondeterminism
from ablations.running.machine.cuda.device import CUDA_FIELDS, determinism_found, prepare_device
from ablations.running.machine.cuda.lost_context import loses_context, lost_by, note_lost_context
from ablations.running.machine.cuda.precision import check_precision
from ablations.running.machine.devices import choose_device
from ablations.running.machine.durable import FULL_OR_FAILING
from ablations.running.machine.environment import describe_environment
from ablations.running.record.outcomes import MOST_IMAGES, Outcomes, hash_of
from ablations.running.record.trial_record import EpochMetrics, Failure, Kind, TrialResult
from ablations.running.record.weights import pack_weights
from ablations.running.training.checkpoint import Checkpoints, Supervisor, any_file_exists
from ablations.running.training.pretrained import open_weights
from ablations.running.training.processes.group import ALONE, Group
from ablations.running.training.trainer import Diverged, Observer
from ablations.running.training.trial_training import train
from ablations.running.trials.progress import ProgressWriter
from ablations.running.trials.stopping import Stopped, TimedOut
from ablations.running.trials.task import TaskOutcome
from senet_core.errors import UserError, one_line, typed_line
from senet_core.plugins import load_installed_plugins, load_plugin_file
from senet_core.variants.text import variant_text

if TYPE_CHECKING:
    from ablations.running.training.network_task import NetworkTask

SAME_ENVIRONMENT = (
    "source",
    "senet-ablations",
    "device",
    "precision",
    "threads",
    "processes",
    "fused",
    "winograd",
    "torch",
    "torchvision",
    "processor",
    *CUDA_FIELDS,
)
"""Fields of the environment that must be equal to continue a checkpoint: else the end may differ in the last bits.

Those of CUDA are in the environment of a trial that runs there, and in no other; the number of processes is in that of
a trial that several train together.
"""


def run_attempt(
    task: NetworkTask, signalled: Callable[[], bool] = lambda: False, group: Group = ALONE
) -> TaskOutcome:
    """Run one attempt at a trial and return its outcome, which also has whatever error it raised.

    Args:
        task: the trial.
        signalled: returns whether a signal has asked this worker to end, which stops the trial.
        group: the processes that train it together, each of which is in this function.

    Raises:
        DataError: the data are missing, damaged or others than those of the record, which is no fault of the trial's.
        UserError: the device does not have the trial's precision, or this process has lost its GPU.
    """
    _check_device(task)
    attempt = _Attempt(task, _now(), signalled, group)
    if group.agree(task.lost_its_lease()):  # while it waited for its turn
        return attempt.outcome(stopped=True)
    try:
        attempt.run()
    except DataError:
        raise
    except Stopped:
        return attempt.outcome(stopped=True)
    except Diverged as error:
        attempt.fail("diverged", error, epoch=error.epoch)
    except TimedOut as error:
        attempt.fail("timeout", error)
    except (MemoryError, torch.OutOfMemoryError) as error:
        attempt.fail("oom", error)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a network or a plug-in raises fails this trial, not the sweep
        attempt.fail(_kind(error), error, named=True)
    return attempt.outcome()


class _Attempt:
    """One attempt at a trial, and what is known of it so far."""

    def __init__(self, task: NetworkTask, started: str, signalled: Callable[[], bool], group: Group) -> None:
        self.task, self.started, self.began, self.group = task, started, time.monotonic(), group
        self.signalled = signalled
        self.result: TrialResult | None = None
        self.outcomes: bytes | None = None
        self.weights: bytes | None = None
        self.failure: Failure | None = None
        self.history: list[EpochMetrics] = []
        self.environment: dict[str, Any] = {}
        self.digest = self.note = ""
        self.spent = False

    def run(self) -> None:
        """Train; the checkpoints of a training that diverged are removed."""
        task = self.task
        _load_plugins(task)
        trial = NetworkTrial.from_json(task.trial)
        device = choose_device()
        precision = trial.recipe.precision
        kernels = task.kernels.for_processes(self.group.size).available_on(device, precision)
        settings = prepare_device(device, precision)
        threads = torch.get_num_threads()
        self.environment = {
            **describe_environment(device=device, precision=precision, threads=threads, kernels=kernels),
            **settings,
            **({"processes": self.group.size} if self.group.size > 1 else {}),
        }
        with (
            ProgressWriter(task.progress_file, self.environment)
            if self.group.is_first
            else nullcontext() as writer,
            noting_nondeterminism() as without,
        ):

            def on_epoch(metrics: EpochMetrics) -> None:
                self.history.append(metrics)
                if writer is not None:
                    writer.epoch(metrics)

            def on_trained(network: nn.Module) -> None:
                if task.keep_weights and self.group.is_first:
                    about = _described(task.key, trial, data, self.environment)
                    self.weights = pack_weights(network.state_dict(), about)

            data = open_prepared(
                trial.data.located(task.images), task.data_dir, task.data_digest, seed=trial.seed
            )
            state = file_state(data.path)
            self.digest, self.note = data.digest, data.note
            same = same_environment(self.environment)
            checkpoints = Checkpoints(task.checkpoint_dir, {**same, "data": data.digest})
            asked = any_file_exists(task.stop_file, task.prune_file)
            supervisor = Supervisor(
                checkpoints,
                stop=lambda: self.signalled() or asked(),
                lost=task.lost_its_lease,
                timeout_seconds=task.timeout_seconds,
                group=self.group,
            )
            try:
                on_step = Observer().progress if writer is None else writer.progress
                observer = Observer(on_epoch, on_step, on_trained)
                self.result, _, known = train(
                    trial,
                    data,
                    device,
                    observer,
                    supervisor,
                    kernels=kernels,
                    latency=task.latency,
                    weights=open_weights(trial.recipe.weights, task.data_dir),
                )
                if known is not None and len(known) <= MOST_IMAGES:
                    self.outcomes = Outcomes(task.key, data.digest, known).to_bytes()
                    self.result = replace(self.result, outcomes_sha256=hash_of(self.outcomes))
            except Diverged:
                checkpoints.remove()  # it would diverge again
                raise
            finally:
                self.environment |= determinism_found(without)
                if changed_in_place(data.path, state):  # the images are mapped: it may have seen both
                    _check_again(data, checkpoints)

    def fail(
        self, kind: Kind, error: BaseException, *, epoch: int | None = None, named: bool = False
    ) -> None:
        """Set the failure, with its reason in one line."""
        text = typed_line(error) if named else one_line(error)
        note_lost_context(error)
        self.spent = loses_context(error)
        self.failure = Failure(kind, text[:600], epoch if epoch is not None else len(self.history) + 1)

    def outcome(self, *, stopped: bool = False) -> TaskOutcome:
        """Return the outcome of the attempt."""
        found = self.result, tuple(self.history), self.failure, self.environment, self.digest, self.note
        seconds, signalled = time.monotonic() - self.began, stopped and self.signalled()
        kept = self.outcomes, self.weights
        return TaskOutcome(*found, self.started, _now(), stopped, seconds, signalled, *kept, self.spent)


def same_environment(environment: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a checkpoint says of its environment, which must be equal for it to be continued."""
    return {name: environment[name] for name in SAME_ENVIRONMENT if name in environment}


def _check_device(task: NetworkTask) -> None:
    """Refuse what no trial on this device, or in this process, can do.

    Raises:
        UserError: the device does not have the trial's precision, or this process has lost its GPU.
    """
    if (lost := lost_by()) != "":
        raise UserError(
            f"a process of the executor cannot use its GPU any more, since {lost!r}, and only a new process can; end"
            " those of the executor, and the same command goes on"
        )
    check_precision(choose_device(), str(task.trial["recipe"]["precision"]))


def _described(
    key: str, trial: NetworkTrial, data: Prepared, environment: Mapping[str, Any]
) -> dict[str, str]:
    """Return what a file of weights says of them: whoever has it can build their network and use it."""
    return {
        "key": key,
        "backbone": trial.backbone,
        "variant": str(variant_text(trial.variant)),
        "num_classes": str(data.num_classes),
        "in_channels": str(data.image_shape[0]),
        "data": trial.data.name,
        "classes": json.dumps(data.classes),
        "mean": json.dumps(data.mean),  # of each channel, in units of 0..255, as the next
        "std": json.dumps(data.std),
        "commit": str(environment.get("commit", "")),
    }


def _check_again(data: Prepared, checkpoints: Checkpoints) -> None:
    """Refuse what was trained while the file was written to, unless it holds what it held.

    Raises:
        DataError: it does not.
    """
    try:
        now = check_content(data.path)
        if now != data.digest:
            raise DataError(
                f"{data.path} was changed while it was trained on (digest {now[:12]}, before {data.digest[:12]});"
                " put the file back as it was, and the same command goes on"
            )
    except DataError:
        checkpoints.remove()
        raise


def _kind(error: BaseException) -> Kind:
    """Return the kind of an error: a full disk, too little memory (however the error is wrapped), or another."""
    if isinstance(error, OSError) and error.errno in FULL_OR_FAILING:
        return "disk"
    text = one_line(error).lower()
    if "out of memory" in text or "can't allocate memory" in text or "cannot allocate memory" in text:
        return "oom"
    return "error"


def _load_plugins(task: NetworkTask) -> None:
    """Load the plug-ins, and check that none changed since the trial was planned."""
    load_installed_plugins()
    for file in task.plugins:
        load_plugin_file(file)
    check_plugins(task.trial["plugins"])


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
