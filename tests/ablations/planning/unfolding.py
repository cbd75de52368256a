"""A small study's rows and refusals, as the tests of its design read them."""

from __future__ import annotations

import pytest

from ablations.planning.design import design
from ablations.planning.networks.study import NetworkStudy
from ablations.planning.row import Row
from senet_core import SEVariant, UserError

GIVEN = {"backbone": "resnet8", "data": "digits"}
SE = SEVariant(reduction=4)


def labels(rows: tuple[Row, ...]) -> list[str]:
    """Return the rows' labels, in their order."""
    return [row.label for row in rows]


def refusal(study: NetworkStudy) -> str:
    """Return the one line with which the design of a study is refused."""
    with pytest.raises(UserError) as caught:
        design(study)
    text = str(caught.value)
    assert "\n" not in text
    return text
