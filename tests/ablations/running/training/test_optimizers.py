"""Optimisers: each name of a recipe has one, and each steps as its library's does."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from small import small_study, small_trial
from torch import nn

from ablations.errors import ToolMissing
from ablations.planning.networks.recipes.optimizers import OPTIMIZERS, SPECIAL
from ablations.running.training import optimizers
from ablations.running.training.muon import Muon
from ablations.running.training.optimizers import BUILDERS, make_optimiser
from ablations.running.training.refusals.untrainable import refuse_untrainable
from senet_core import SEVariant, build_model

NAMES = sorted(OPTIMIZERS)


def network(*, channels_last: bool = True) -> nn.Module:
    model = build_model("resnet8", SEVariant(reduction=4, bias=True), num_classes=10, in_channels=1, seed=0)
    memory = torch.channels_last if channels_last else torch.contiguous_format
    return model.to(memory_format=memory)  # type: ignore[call-overload, no-any-return]


def stepped(model: nn.Module, steps: int = 2, **recipe: Any) -> dict[str, torch.Tensor]:
    """The weights after some steps."""
    optimiser = make_optimiser(model, small_trial(**recipe).recipe)
    for seed in range(steps):
        x = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(seed))
        optimiser.zero_grad()
        model(x).square().mean().backward()
        optimiser.step()
    return {name: value.clone() for name, value in model.named_parameters()}


def test_every_name_has_a_builder() -> None:
    assert list(BUILDERS) == list(OPTIMIZERS)
    assert {field for facts in OPTIMIZERS.values() for field in facts.reads} == set(SPECIAL)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_moves_with_its_own_decay(name: str) -> None:
    model = network()
    before = {key: value.clone() for key, value in model.named_parameters()}
    after = stepped(model, optimizer=name, weight_decay=0.1, decay_norm_and_bias=False)
    assert all(not torch.equal(before[key], after[key]) for key in before)
    groups = make_optimiser(
        model, small_trial(optimizer=name, weight_decay=0.1, decay_norm_and_bias=False).recipe
    )
    by_decay = {group["weight_decay"]: group["params"] for group in groups.param_groups}
    assert by_decay.keys() == {0.0, 0.1}
    assert {p.ndim for p in by_decay[0.0]} == {1}
    assert sum(len(group["params"]) for group in groups.param_groups) == len(before)


def test_adamw_is_torchs() -> None:
    ours = stepped(network(), optimizer="adamw", lr=0.01, betas=[0.8, 0.9], eps=1e-6, weight_decay=0.1)
    model = network()
    theirs = torch.optim.AdamW(model.parameters(), lr=0.01, betas=(0.8, 0.9), eps=1e-6, weight_decay=0.1)
    for seed in range(2):
        theirs.zero_grad()
        model(
            torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(seed))
        ).square().mean().backward()
        theirs.step()
    assert all(torch.equal(ours[name], value) for name, value in model.named_parameters())


def test_muon_trains_the_inner_matrices_whatever_their_order_in_memory() -> None:
    model = network()
    names = {id(p): name for name, p in model.named_parameters()}
    inner = {names[id(p)] for p in Muon.inner_matrices(model)}
    assert {"conv1.weight", "fc.weight"} <= set(names.values()) - inner
    assert {"layer1.0.conv1.weight", "layer3.0.se.network.fc1.weight"} <= inner
    recipe = {"optimizer": "muon", "lr": 0.01}
    one, other = stepped(network(), 1, **recipe), stepped(network(channels_last=False), 1, **recipe)
    for name in inner:  # torch's Newton-Schulz steps are in bfloat16, whose sums depend on the order
        moved = one[name] - model.get_parameter(name)
        assert (one[name] - other[name]).norm() < 0.1 * moved.norm(), name


def test_a_step_of_muon_is_orthogonal() -> None:
    """Its rate is scaled by 0.2 sqrt(max(rows, columns)), so that the weights move by about 0.2 lr each."""
    model = network()
    before = model.get_parameter("layer2.0.conv2.weight").detach().clone()
    optimiser = make_optimiser(model, small_trial(optimizer="muon", lr=0.1, weight_decay=0).recipe)
    model(torch.randn(4, 1, 8, 8)).square().mean().backward()
    optimiser.step()
    moved = (model.get_parameter("layer2.0.conv2.weight").detach() - before).flatten(1)
    singular = torch.linalg.svdvals(moved / (0.1 * 0.2 * max(moved.shape) ** 0.5))
    assert 0.5 < singular.min() < singular.max() < 1.5


def test_a_missing_package_is_said_before_anything_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimizers, "find_spec", lambda name: None)
    monkeypatch.delattr(torch.optim, "Muon", raising=False)
    recipe = {"epochs": 1, "batch_size": 32}
    baseline = {"backbone": "resnet8", "data": "digits"}
    for name, words in (
        ("lion", r"pip install 'senet-ablations\[zoo\]'"),
        ("muon", "needs torch 2.9 or newer"),
    ):
        tune = {"validation_images": 100, "ranges": {"optimizer": {"choices": ["sgd", name]}}}
        for study in (
            small_study(recipe={**recipe, "optimizer": name}),
            small_study(axes={"recipe.optimizer": ["sgd", name]}),
            small_study(design="tuned", baseline=baseline, tune=tune),
        ):
            with pytest.raises(ToolMissing, match=words) as caught:
                refuse_untrainable(study)
            assert "\n" not in str(caught.value)
        with pytest.raises(ToolMissing, match=words):
            make_optimiser(network(), small_trial(optimizer=name).recipe)
    refuse_untrainable(small_study(recipe={**recipe, "optimizer": "adamw"}))
