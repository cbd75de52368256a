"""Answers: the mean of probabilities over views, and what is right of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.views import Views
from ablations.running.data import Prepared, prepare
from ablations.running.testing.answers import answers, judge
from ablations.running.testing.crops import crops_of
from ablations.running.testing.image_sources import own_images
from ablations.running.training.augmentation.network_input import normalise
from ablations.running.training.evaluation import NotFinite, evaluate


class Corner(nn.Module):
    """A network of ten classes that looks at one corner, so that every crop has another answer."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, 0, :2, :5].flatten(1)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """The prepared digits, with few test images."""
    return prepare(DataSpec(name="digits"), tmp_path_factory.mktemp("data")).subset(test_images=130)


@pytest.mark.parametrize("views", [Views(), Views(flip=True), Views(5), Views(10), Views(144, size=16)])
def test_probabilities_are_averaged_over_views(digits: Prepared, views: Views) -> None:
    images = own_images(DataSpec(name="digits"), digits, views)
    given = answers(Corner(), images, views, digits, torch.device("cpu"), "fp32")
    seen = crops_of(digits.test_images[:3], views, 8, original=False)
    each = [Corner()(normalise(view, digits.mean, digits.std)).softmax(dim=1) for view in seen]
    assert given.shape == (130, 10)
    assert np.allclose(given[:3], torch.stack(each).mean(dim=0), atol=1e-6)


def test_one_crop_is_the_test_of_the_training(digits: Prepared) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10)).eval()
    top1, top5, loss, known = evaluate(network, digits, torch.device("cpu"), "fp32")
    images = own_images(DataSpec(name="digits"), digits, Views())
    found = judge(answers(network, images, Views(), digits, torch.device("cpu"), "fp32"), images.labels)
    assert (found.top1_error, found.top5_error) == (top1, top5)
    assert found.loss == pytest.approx(loss, rel=1e-5)
    assert found.right.tolist() == known.tolist()


def test_guesses_are_judged_by_hand() -> None:
    given = np.zeros((3, 7), np.float32)
    given[0] = 0.1, 0.5, 0.2, 0.1, 0.05, 0.03, 0.02
    given[1] = 0.3, 0.2, 0.2, 0.1, 0.1, 0.06, 0.04
    given[2] = 0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1
    found = judge(given, np.array([1, 6, 4]))
    assert found.right.tolist() == [True, False, False]
    assert found.top1_error == pytest.approx(200 / 3)
    assert found.top5_error == pytest.approx(100 / 3), "the second image's class comes last"
    assert found.loss == pytest.approx(-(math.log(0.5) + math.log(0.04) + math.log(0.1)) / 3)
    assert judge(given[:, :5] * 1, np.array([1, 0, 4])).top5_error is None


def test_answers_that_are_no_numbers_are_refused(digits: Prepared) -> None:
    class Broken(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.new_full((len(x), 10), math.nan)

    images = own_images(DataSpec(name="digits"), digits, Views())
    with pytest.raises(NotFinite):
        answers(Broken(), images, Views(), digits, torch.device("cpu"), "fp32")
