"""Which test images are looked at, and that networks see them as in the test."""

from __future__ import annotations

import numpy as np
import torch

from ablations.running.probe.collecting import collect_gates
from ablations.running.probe.tested_images import first_of_each_class, gates_of_test_images
from ablations.running.training.augmentation.network_input import normalise
from senet_core.backbones import find_backbone
from senet_core.model import build_model
from senet_core.variants.variant import SEVariant
from tests.ablations.running.small import sixteen_pixels


def test_the_first_images_of_each_class_are_taken_in_their_order() -> None:
    labels = np.array([2, 0, 2, 2, 0, 1, 0])
    assert list(first_of_each_class(labels, 2)) == [0, 1, 2, 4, 5]
    assert list(first_of_each_class(labels, None)) == list(range(7))


def test_gates_are_those_of_the_normalised_test_images() -> None:
    data = sixteen_pixels()
    network = build_model("resnet8", SEVariant(reduction=4), num_classes=10, seed=0).eval()
    cpu, stages = torch.device("cpu"), find_backbone("resnet8").stages
    found = gates_of_test_images(network, data, cpu, stages=stages, images_per_class=3)
    assert list(found.labels) == [*range(10)] * 3
    images = normalise(data.test_images[:30], data.mean, data.std)
    expected = collect_gates(network, [images], data.test_labels[:30].numpy(), stages=stages)
    assert [unit.name for unit in found.units] == ["SE_2_1", "SE_3_1", "SE_4_1"]
    for unit, one in zip(found.units, expected.units, strict=True):
        np.testing.assert_allclose(unit.gates, one.gates, rtol=1e-4)
