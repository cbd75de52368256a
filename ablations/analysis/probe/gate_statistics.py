"""Statistics of the gates of one unit: arrays in, numbers out.

A gate is what one channel of one unit is weighed with for one image; `gates` is (images, channels).

Sources: class means and spreads are those of the paper's Fig. 6 and 7 (arXiv:1709.01507v4, section 7.2). The share of
variance between classes is epsilon squared (Kelley 1935, "An unbiased correlation ratio measure"; Okada 2013, "Is
omega squared less biased? A comparison of three major effect size indices in one-way ANOVA", finds it the least biased
of three). Dimensions are the participation ratio of a covariance's eigenvalues (Bell and Dean 1970, "Atomic vibrations
in vitreous silica", for vibrations; Gao et al. 2017, "A theory of multineuronal dimensionality", for neurons).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Gates = NDArray[np.float32] | NDArray[np.float64]
Labels = NDArray[np.int64]

NEAR_END = 0.05
"""A gate this near to an end of its range, as a share of the range, is saturated."""

_ROUNDING = 4e-7
"""A spread this small beside the largest value is rounding of 32-bit numbers, not variation."""


def class_means(gates: Gates, labels: Labels, classes: int) -> Floats:
    """Return the mean gate of each class (Fig. 6).

    Shapes:
        gates: (images, channels); labels: (images,); returns (classes, channels), NaN for a class without images.
    """
    counts = np.bincount(labels, minlength=classes)[:, None]
    sums = _sums(gates.astype(np.float64), labels, classes)
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


def class_deviations(gates: Gates, labels: Labels, classes: int) -> Floats:
    """Return the standard deviation (n - 1) over the images of each class (Fig. 7).

    Shapes:
        gates: (images, channels); labels: (images,); returns (classes, channels), NaN for a class below two images.
    """
    apart = gates - class_means(gates, labels, classes)[labels]
    squares = _sums(apart**2, labels, classes)
    freedom = np.bincount(labels, minlength=classes)[:, None] - 1
    return np.sqrt(np.divide(squares, freedom, out=np.full_like(squares, np.nan), where=freedom > 0))


def class_shares(gates: Gates, labels: Labels) -> Floats:
    """Return the share of each channel's variance over images that lies between classes, corrected for chance.

    That is 1 - (mean square within classes) / (mean square of all). The share without correction, eta squared, is
    above 0 even where classes mean nothing: shuffled labels give (K - 1) / (N - 1) on average, for any distribution,
    and (eta squared - that) / (1 - that) is this figure. So its mean over shuffled labels is exactly 0, without
    shuffling; it may fall below 0, where it stays, for otherwise averages over channels would be biased again.

    Shapes:
        gates: (images, channels); labels: (images,) of at least two classes, with more images than classes; returns
            (channels,), at most 1; NaN for a channel that is constant, or where there are too few images.
    """
    present, places = np.unique(labels, return_inverse=True)
    images, classes = len(labels), len(present)
    if classes < 2 or images <= classes:
        return np.full(gates.shape[1], np.nan)
    values = gates.astype(np.float64)
    within = ((values - class_means(values, places, classes)[places]) ** 2).sum(axis=0) / (images - classes)
    whole = values.var(axis=0, ddof=1)
    shares = np.full(gates.shape[1], np.nan)
    varies = ~_is_constant(values)
    shares[varies] = 1 - within[varies] / whole[varies]
    return shares


def saturation(gates: Gates, ends: tuple[float, float] | None) -> tuple[float, float] | None:
    """Return the shares of gates, over images and channels, within 5 % of the lower and of the upper end.

    Args:
        gates: (images, channels).
        ends: the lowest and highest value that a gate can have; None where it has no such ends.
    """
    if ends is None:
        return None
    low, high = ends
    reach = NEAR_END * (high - low)
    return float((gates < low + reach).mean()), float((gates > high - reach).mean())


def image_share(gates: Gates) -> float | None:
    """Return which share of the variance of gates lies over images, and not between channels.

    0: every channel has one gate for all images; 1: in the mean over images all channels are alike. None where no gate
    differs from another.
    """
    over_images, over_channels = _variances(gates)
    whole = over_images + over_channels
    return None if whole <= _rounding(gates) ** 2 else over_images / whole


def constant_error(gates: Gates) -> float | None:
    """Return the error of one constant for each channel in the place of the gate, relative to the gate.

    The root mean square of (gate - mean of its channel) over the root mean square of the gate: 0 for a gate that is a
    constant, whatever its size, for a constant is undone by the next layer. None where all gates are 0.
    """
    values = gates.astype(np.float64)
    size = float((values**2).mean())
    return None if size == 0 else float(np.sqrt(values.var(axis=0).mean() / size))


def one_error(gates: Gates, neutral: float = 1.0) -> float:
    """Return the root mean square of (gate - neutral): 0 for a gate that leaves the map as it is."""
    return float(np.sqrt(((gates.astype(np.float64) - neutral) ** 2).mean()))


def mean_correlation(means: Gates) -> float | None:
    """Return the mean absolute correlation of channels over images: 0 none, 1 all channels say the same.

    Args:
        means: (images, channels), of maps over positions. Channels that are constant are left out; None where fewer
            than two remain. Chance alone gives about 0.8 / sqrt(images).
    """
    values = means.astype(np.float64)
    values = values[:, ~_is_constant(values)]
    channels = values.shape[1]
    if channels < 2:
        return None
    found = np.abs(np.corrcoef(values, rowvar=False))
    return float((found.sum() - np.trace(found)) / (channels * (channels - 1)))


def dimensions(means: Gates) -> float | None:
    """Return how many directions the channels' means over positions fill over images: (sum of v)^2 / sum of v^2.

    The v are the eigenvalues of their covariance; so many equal ones would give the same. It counts scale: a channel
    that is weighed down fills less. At most the number of channels, or of images less one.

    Args:
        means: (images, channels), of maps over positions.
    """
    values = means.astype(np.float64)
    if _is_constant(values).all():
        return None
    covariance = np.atleast_2d(np.cov(values, rowvar=False))
    return float(np.trace(covariance) ** 2 / (covariance**2).sum())


def likeness(means: Floats) -> float | None:
    """Return how alike the classes' mean gates are over channels: the mean correlation of one with the others.

    A class is correlated with the mean of the other classes, so that it is not compared with itself; neither a scale
    nor an offset of a class changes it.

    Args:
        means: (classes, channels) as `class_means` returns; classes without images are left out.
    """
    known = means[~np.isnan(means).any(axis=1)]
    if len(known) < 2 or known.shape[1] < 3:
        return None
    others = (known.sum(axis=0) - known) / (len(known) - 1)
    if _is_constant(known.T).any() or _is_constant(others.T).any():
        return None
    return float(np.mean([np.corrcoef(one, rest)[0, 1] for one, rest in zip(known, others, strict=True)]))


def _sums(values: Floats, labels: Labels, classes: int) -> Floats:
    """Return sums over the images of each class, (classes, channels)."""
    order = np.argsort(labels, kind="stable")
    present, first = np.unique(labels[order], return_index=True)
    sums = np.zeros((classes, values.shape[1]))
    sums[present] = np.add.reduceat(values[order], first, axis=0)
    return sums


def _variances(gates: Gates) -> tuple[float, float]:
    """Return the variance over images, mean over channels, and that of the channels' means; their sum is the whole."""
    values = gates.astype(np.float64)
    return float(values.var(axis=0).mean()), float(values.mean(axis=0).var())


def _rounding(values: Gates) -> float:
    return _ROUNDING * float(np.abs(values).max(initial=0.0))


def _is_constant(values: Floats) -> NDArray[np.bool_]:
    """Return which columns have no spread beyond rounding."""
    largest = np.abs(values).max(axis=0, initial=0.0)
    constant: NDArray[np.bool_] = values.std(axis=0) <= _ROUNDING * largest
    return constant
