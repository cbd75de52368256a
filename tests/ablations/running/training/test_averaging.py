"""The average of the weights is what is tested, validated and hashed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from small import DATA, small_trial
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ablations.running.data import Prepared, open_prepared
from ablations.running.machine.kernels import ALL_KERNELS
from ablations.running.training.averaging import Average
from ablations.running.training.checkpoint import Supervisor
from ablations.running.training.evaluation import evaluate, hash_weights
from ablations.running.training.trainer import Observer
from ablations.running.training.trial_training import make_trainer, train

CPU = torch.device("cpu")


pytestmark = pytest.mark.usefixtures("on_one_thread")


def test_it_is_the_exponential_average_of_weights_and_statistics(data: Prepared) -> None:
    trainer = make_trainer(small_trial(ema=0.75, epochs=2), data, CPU)
    seen: list[dict[str, torch.Tensor]] = []

    def note(done: int, total: int) -> None:
        state = trainer.model.state_dict()
        seen.append({name: value.clone() for name, value in state.items() if value.is_floating_point()})

    trainer.run(Observer(progress=note), Supervisor())
    expected = seen[0]
    for state in seen[1:]:
        expected = {name: 0.75 * value + 0.25 * state[name] for name, value in expected.items()}
    found = trainer.tested.state_dict()
    assert trainer.tested is not trainer.model
    assert all(torch.allclose(found[name], value, atol=1e-6) for name, value in expected.items())
    assert found.keys() == trainer.model.state_dict().keys()


def test_the_average_is_tested_and_hashed_and_the_training_is_the_same(data: Prepared) -> None:
    trainer = make_trainer(small_trial(ema=0.9), data, CPU)
    trainer.run(Observer(), Supervisor())
    result, history, _ = train(small_trial(ema=0.9), data, CPU)
    without, history_without, _ = train(small_trial(), data, CPU)
    assert result.weights_sha256 == hash_weights(trainer.tested)
    assert hash_weights(trainer.model) == without.weights_sha256 != result.weights_sha256
    assert result.test_loss == evaluate(trainer.tested, data, CPU, "fp32")[2]
    assert [epoch.train_loss for epoch in history] == [epoch.train_loss for epoch in history_without]


def test_validation_sees_the_average(tmp_path: Path) -> None:
    chosen = DATA.for_choosing(40)
    data = open_prepared(chosen, tmp_path)
    trial = replace(small_trial(ema=0.9), data=chosen)
    result, history, _ = train(trial, data, CPU)
    assert history[-1].validation_error == result.top1_error


def test_a_timed_average_is_torchs_own_network(data: Prepared) -> None:
    """It was copied from one with our convolutions in it."""
    kernels = ALL_KERNELS.available_on(CPU, "fp32")
    result, *_ = train(small_trial(ema=0.9), data, CPU, kernels=kernels, latency=True)
    assert result.latency_ms is not None
    assert result.latency_ms > 0


class Counting(nn.Module):
    """Weights and statistics of several kinds, which change at every step."""

    def __init__(self, device: str = "cpu") -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(5, 3, device=device))
        self.register_buffer("coarse", torch.randn(4, device=device).bfloat16())
        self.register_buffer("seen", torch.zeros((), dtype=torch.long, device=device))
        self.register_buffer("table", torch.arange(6, device=device).view(2, 3))

    def step(self) -> None:
        with torch.no_grad():
            for value in (self.weight, *self.buffers()):
                value.add_(torch.ones_like(value) * 3)
            self.weight.mul_(1.37)


def test_its_bits_and_the_names_in_its_state_are_those_of_torchs_average() -> None:
    """Checkpoints from before go on."""
    torch.manual_seed(0)
    network = Counting()
    own = Average(network, 0.83)
    torchs = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.83), use_buffers=True)  # type: ignore[no-untyped-call]
    for _ in range(12):
        network.step()
        own.update_parameters(network)
        torchs.update_parameters(network)
        mine, theirs = own.state_dict(), torchs.state_dict()
        assert list(mine) == list(theirs)
        assert all(torch.equal(mine[name], theirs[name]) for name in theirs)
    again = Average(Counting(), 0.83)
    again.load_state_dict(torchs.state_dict())
    assert again.n_averaged == 12


class Separate(TorchDispatchMode):
    """Refuses what would wait for the device: operations with one tensor there and one here."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        places = {leaf.device.type for leaf in tree_leaves((args, kwargs, found)) if isinstance(leaf, Tensor)}
        assert len(places) <= 1, f"{func} copies between {places}"
        return found


def test_no_step_copies_between_the_device_and_the_processor() -> None:
    """A tensor without memory stands in for one on a GPU: it has no number to be read, either."""
    network = Counting("meta")
    average = Average(network, 0.9)
    with Separate():
        for _ in range(3):
            average.update_parameters(network)
    assert (average.n_averaged.item(), average.n_averaged.device.type) == (3, "cpu")
