"""The average of the weights is what is tested, validated and hashed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small import DATA, one_thread, small_trial

from ablations.running.data import Prepared, open_prepared
from ablations.running.machine.kernels import ALL_KERNELS
from ablations.running.training.checkpoint import Supervisor
from ablations.running.training.evaluation import evaluate, hash_weights
from ablations.running.training.trainer import Observer
from ablations.running.training.trial_training import make_trainer, train

CPU = torch.device("cpu")


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return open_prepared(DATA, tmp_path_factory.mktemp("data"))


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
