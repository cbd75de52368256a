"""The statistics of gates, on values worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ablations.analysis.probe import gate_statistics as statistics

TWO_CLASSES = np.array([0, 0, 1, 1])


def column(*values: float) -> statistics.Floats:
    return np.array(values)[:, None]


def test_class_means_and_deviations() -> None:
    gates = np.array([[0.1, 0.5], [0.3, 0.5], [0.6, 0.7]])
    labels = np.array([2, 2, 0])
    means = statistics.class_means(gates, labels, 3)
    assert means[2] == pytest.approx([0.2, 0.5])
    assert means[0] == pytest.approx([0.6, 0.7])
    assert np.isnan(means[1]).all()  # no image
    spread = statistics.class_deviations(gates, labels, 3)
    assert spread[2] == pytest.approx([np.sqrt(0.02), 0])
    assert np.isnan(spread[:2]).all()  # one image has no spread


def test_the_share_between_classes_is_one_where_classes_say_all() -> None:
    assert statistics.class_shares(column(1, 1, 3, 3), TWO_CLASSES) == pytest.approx([1])


def test_the_share_between_classes_by_hand() -> None:
    # within: (0.5 + 0.5) / 2 = 1 / 2; whole: 4 values around 2.5, (2.25 + 0.25 + 0.25 + 2.25) / 3 = 5 / 3
    assert statistics.class_shares(column(1, 2, 3, 4), TWO_CLASSES) == pytest.approx([1 - 3 / 10])
    # classes alike: within (0.5 + 0.5) / 2, whole 1 / 3: the share is below 0, and stays there
    assert statistics.class_shares(column(1, 2, 1, 2), TWO_CLASSES) == pytest.approx([-0.5])


def test_the_share_is_zero_in_the_mean_over_all_orders_of_the_labels() -> None:
    from itertools import permutations

    gates = column(0.1, 0.2, 0.7, 0.9, 0.4)
    orders = set(permutations([0, 0, 1, 1, 1]))
    shares = [statistics.class_shares(gates, np.array(order))[0] for order in orders]
    assert np.mean(shares) == pytest.approx(0, abs=1e-12)
    assert len(orders) == 10


def test_a_constant_channel_has_no_share() -> None:
    gates = np.hstack([column(0.3, 0.3, 0.3, 0.3), column(1, 2, 3, 4)]).astype(np.float32)
    shares = statistics.class_shares(gates, TWO_CLASSES)
    assert np.isnan(shares[0])
    assert shares[1] == pytest.approx(0.7)
    assert np.isnan(statistics.class_shares(gates, np.zeros(4, dtype=int))).all()  # one class
    assert np.isnan(statistics.class_shares(gates[:2], np.array([0, 1]))).all()  # nothing within


def test_saturation_counts_gates_near_the_ends() -> None:
    gates = np.array([[0.01, 0.5], [0.96, 0.05]])
    assert statistics.saturation(gates, (0, 1)) == (0.25, 0.25)
    assert statistics.saturation(gates, (-1, 1)) == (0, 0.25)  # the upper end of tanh begins at 0.9
    assert statistics.saturation(gates, None) is None


def test_the_share_of_variance_over_images() -> None:
    # channels 0.2 and 0.6 in the mean: 0.04 between them; over images 0.01 in one, 0 in the other: 0.005
    gates = np.array([[0.1, 0.6], [0.3, 0.6]])
    assert statistics.image_share(gates) == pytest.approx(0.005 / 0.045)
    assert statistics.image_share(np.full((3, 2), 0.5)) is None


def test_distances_from_a_constant_and_from_one() -> None:
    gates = np.array([[0.3, 1.0], [0.5, 1.0]])
    assert statistics.constant_error(gates) == pytest.approx(np.sqrt(0.005 / ((0.09 + 0.25 + 1 + 1) / 4)))
    assert statistics.constant_error(0.1 * gates) == pytest.approx(statistics.constant_error(gates))
    assert statistics.constant_error(np.zeros((2, 2))) is None
    assert statistics.one_error(gates) == pytest.approx(np.sqrt((0.49 + 0.25) / 4))
    assert statistics.one_error(np.ones((2, 2))) == 0
    assert statistics.one_error(np.zeros((2, 2)), neutral=0) == 0


def test_correlation_of_channels() -> None:
    # the first two are each other's opposite; the third is uncorrelated with both; the fourth is constant
    means = np.array([[1, -1, 1, 5], [1, -1, -1, 5], [-1, 1, 1, 5], [-1, 1, -1, 5]], dtype=np.float64)
    assert statistics.mean_correlation(means) == pytest.approx(1 / 3)
    assert statistics.mean_correlation(means[:, 2:]) is None


def test_dimensions_count_directions_that_are_filled() -> None:
    alone = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], dtype=np.float64)
    assert statistics.dimensions(alone) == pytest.approx(2)
    assert statistics.dimensions(alone * [1, np.sqrt(3)]) == pytest.approx(16 / 10)  # variances 1 and 3
    assert statistics.dimensions(alone[:, [0, 0, 0]]) == pytest.approx(1)
    assert statistics.dimensions(np.ones((4, 2))) is None


def test_likeness_knows_neither_scale_nor_offset() -> None:
    shape = np.array([0.1, 0.5, 0.3, 0.8])
    assert statistics.likeness(np.array([shape, 2 * shape, shape - 0.1])) == pytest.approx(1)
    assert statistics.likeness(np.array([shape, shape[::-1]])) == pytest.approx(
        np.corrcoef(shape, shape[::-1])[0, 1]
    )
    assert statistics.likeness(np.array([shape, np.full(4, np.nan)])) is None  # one class with images
    assert statistics.likeness(np.array([shape, np.full(4, 0.5)])) is None  # one has no shape
