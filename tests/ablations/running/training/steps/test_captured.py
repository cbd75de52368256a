"""A captured step ends as the step that was captured: on a tape here, which stands in for a graph, and on a GPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import torch
from small import one_thread, sixteen_pixels, small_trial
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ablations.planning.networks.trial import NetworkTrial
from ablations.running.data import Prepared
from ablations.running.machine.cuda.device import prepare_device
from ablations.running.training import trainer as trainer_module
from ablations.running.training.batches import on_device
from ablations.running.training.checkpoint import Supervisor
from ablations.running.training.evaluation import hash_weights
from ablations.running.training.steps.captured import EAGER_STEPS, CapturedStep
from ablations.running.training.steps.step import Step
from ablations.running.training.trainer import Observer, Trainer
from ablations.running.training.trial_training import make_trainer
from senet_core.randomness import drawing_from

CPU = torch.device("cpu")


class Tape(TorchDispatchMode):
    """Records operations, and does them again on the same memory: what is a number in Python stays as it was.

    It refuses to read a number from a tensor, which would make a CPU wait for a GPU.
    """

    def __init__(self) -> None:
        super().__init__()
        self._done: list[tuple[Any, Any, Any, list[Tensor]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten._local_scalar_dense.default:
            raise RuntimeError("CUDA error: operation not permitted when stream is capturing")
        kwargs = kwargs or {}
        found = func(*args, **kwargs)
        before = {id(leaf) for leaf in tree_leaves((args, kwargs))}
        made = [
            leaf if isinstance(leaf, Tensor) and id(leaf) not in before else None
            for leaf in tree_leaves(found)
        ]
        self._done.append((func, args, kwargs, made))
        return found

    @torch.no_grad()
    def replay(self) -> None:
        for func, args, kwargs, made in self._done:
            again = tree_leaves(func(*args, **kwargs))
            for old, new in zip(made, again, strict=True):
                if old is not None and old.data_ptr() != new.data_ptr():  # else it is a view
                    old.copy_(new)


class TapeGraphs:
    """Stands in for CUDA's graphs: a capture changes no tensor of the training, and draws nothing."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self.captures = self.replays = self.steps_beside = 0

    @contextmanager
    def beside(self) -> Iterator[None]:
        self.steps_beside += 1
        yield

    def capture(self, function: Callable[[], None]) -> Callable[[], None]:
        self.captures += 1
        tensors = [leaf for leaf in tree_leaves(self._trainer.state()) if isinstance(leaf, Tensor)]
        kept, drawn = [tensor.clone() for tensor in tensors], torch.get_rng_state()
        try:
            with Tape() as tape:
                function()
        finally:
            for tensor, old in zip(tensors, kept, strict=True):
                tensor.copy_(old)
            torch.set_rng_state(drawn)

        def replay() -> None:
            self.replays += 1
            tape.replay()

        return replay


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture
def as_on_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings on the CPU have the optimisers of CUDA, whose rate is in a tensor."""
    monkeypatch.setattr(trainer_module, "is_captured", lambda recipe, device: True)
    monkeypatch.setattr(trainer_module, "CudaGraphs", lambda: None)


def made(trial: NetworkTrial) -> tuple[Trainer, Step, TapeGraphs]:
    trainer = make_trainer(trial, sixteen_pixels(), CPU)
    captured = trainer.take
    assert isinstance(captured, CapturedStep)
    graphs = TapeGraphs(trainer)
    trainer.take = CapturedStep(captured.step, graphs)
    return trainer, captured.step, graphs


def trained(trainer: Trainer, supervisor: Supervisor | None = None) -> tuple[Any, ...]:
    with drawing_from(0, "noise"):
        trainer.run(Observer(), supervisor or Supervisor())
    return hash_weights(trainer.tested), [(e.train_loss, e.train_error, e.lr) for e in trainer.history]


def trial(**recipe: Any) -> NetworkTrial:
    return small_trial(**{"epochs": 5, "batch_size": 16, **recipe})  # five steps each


RECIPES: list[dict[str, Any]] = [
    {},
    {"momentum": 0.0, "nesterov": False},
    {"precision": "bf16", "label_smoothing": 0.1},
    {"mixup": 0.3, "cutmix": 0.5, "clip_norm": 1.0},
    {"dropout": 0.3, "stochastic_depth": 0.2, "ema": 0.9},
    {"optimizer": "adamw", "lr": 0.002, "loss": "bce"},
    {"loss": "focal", "randaugment": 1},
]


@pytest.mark.usefixtures("as_on_cuda")
@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_a_replayed_step_is_the_step_to_the_last_bit(recipe: dict[str, Any]) -> None:
    """The rate changes at every step: a graph that had it as a number would repeat the first one."""
    plain, step, _ = made(trial(**recipe))
    plain.take = step
    captured, _, graphs = made(trial(**recipe))
    assert trained(captured) == trained(plain)
    assert (graphs.steps_beside, graphs.captures, graphs.replays) == (EAGER_STEPS, 1, 25 - EAGER_STEPS)


@pytest.mark.usefixtures("as_on_cuda")
def test_each_size_of_images_has_its_own_graph() -> None:
    sizes = {"start_size": 8, "full_size_from": 0.8}  # 8 and 12 pixels, ten steps each
    plain, step, _ = made(trial(**sizes))
    plain.take = step
    captured, _, graphs = made(trial(**sizes))
    assert trained(captured) == trained(plain)
    assert (graphs.captures, graphs.steps_beside) == (3, 3 * EAGER_STEPS)


@pytest.mark.usefixtures("as_on_cuda")
def test_a_training_that_goes_on_from_its_state_captures_anew_and_ends_alike() -> None:
    whole, _, _ = made(trial(dropout=0.2))
    first, _, _ = made(trial(dropout=0.2))
    states: list[Any] = []

    class Stops(Supervisor):
        def after_step(self, step: int, state: Callable[[], Any], **_: Any) -> None:
            if step == 12:
                states.append(state())
                raise InterruptedError

    with pytest.raises(InterruptedError):
        trained(first, Stops())
    second, _, graphs = made(trial(dropout=0.2))
    with drawing_from(0, "noise"):
        second.restore(states[0])
        second.run(Observer(), Supervisor())
    assert hash_weights(second.tested) == trained(whole)[0]
    assert graphs.captures == 1


class Waits(nn.Module):
    """A layer that looks at a number."""

    def forward(self, x: Tensor) -> Tensor:
        return x if bool(x.sum() > -1e30) else -x


class Draws(nn.Module):
    """A layer that draws on the CPU."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(3)

    def forward(self, x: Tensor) -> Tensor:
        return x * float(torch.rand((), generator=self.generator).numpy())


@pytest.mark.usefixtures("as_on_cuda")
@pytest.mark.parametrize(
    ("layer", "reason"),
    [(Waits, "not permitted when stream is capturing"), (Draws, "draws random numbers on the CPU")],
)
def test_what_cannot_be_captured_is_trained_as_it_is_written(
    layer: type[nn.Module], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    found = []
    for captured in (False, True):
        trainer, step, graphs = made(trial())
        trainer.model.conv1 = nn.Sequential(trainer.model.conv1, layer())  # type: ignore[arg-type]
        if not captured:
            trainer.take = step
        found.append(trained(trainer))
    assert found[0] == found[1]
    assert (graphs.captures, graphs.replays) == (1, 0)
    assert reason in caplog.text


@pytest.mark.usefixtures("as_on_cuda")
def test_a_context_that_is_lost_in_a_capture_is_no_reason_to_go_on() -> None:
    trainer, _, graphs = made(trial())

    def asserts(function: Callable[[], None]) -> Callable[[], None]:
        raise RuntimeError("CUDA error: device-side assert triggered")

    graphs.capture = asserts  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="device-side assert"):
        trained(trainer)


def test_a_processor_captures_nothing() -> None:
    trainer = make_trainer(trial(), sixteen_pixels(), CPU)
    assert isinstance(trainer.take, Step)
    assert isinstance(trainer.optimiser.param_groups[0]["lr"], float)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_on_a_gpu_a_graph_and_its_step_give_the_same_bits(recipe: dict[str, Any]) -> None:
    device, found = torch.device("cuda"), []
    prepare_device(device, recipe.get("precision", "fp32"))
    for captured in (True, False):
        data: Prepared = on_device(replace(sixteen_pixels()), trial(**recipe), device)
        trainer = make_trainer(trial(**recipe), data, device)
        assert isinstance(trainer.take, CapturedStep)
        if not captured:
            trainer.take = trainer.take.step
        with drawing_from(0, "noise", device=device):
            trainer.run(Observer(), Supervisor())
        if isinstance(trainer.take, CapturedStep):
            assert trainer.take.why_not == ""
        found.append((hash_weights(trainer.tested), [epoch.train_loss for epoch in trainer.history]))
    assert found[0] == found[1]
