"""scikit-learn's handwritten digits: 1797 grey images of 8x8 pixels that come with the package."""

from __future__ import annotations

import numpy as np

from ablations.running.data.raw_dataset import RawDataset, from_arrays

_TEST_PER_CLASS = 50


def from_scikit_learn() -> RawDataset:
    """Return the digits; no file and no network is needed.

    The last 50 images of each class, in scikit-learn's order, are the test split (500), the other 1297 the
    training split. The 17 grey levels 0..16 are spread over 0..255.

    Source: Alpaydin and Kaynak 1998, UCI Machine Learning Repository, doi:10.24432/C50P49 (its test split).
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[..., None]
    labels = bunch.target.astype(np.int64)
    test = np.zeros(len(labels), dtype=bool)
    for label in range(10):
        test[np.flatnonzero(labels == label)[-_TEST_PER_CLASS:]] = True
    return from_arrays(
        tuple(str(digit) for digit in range(10)),
        (images[~test], labels[~test]),
        (images[test], labels[test]),
        source="scikit-learn",
    )
