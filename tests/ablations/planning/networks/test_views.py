"""Views: what networks may see of an image after the training, and how it is written."""

from __future__ import annotations

from typing import Any

import pytest

from ablations.planning.networks.views import Views
from senet_core.errors import UserError


@pytest.mark.parametrize(
    ("views", "written", "words"),
    [
        (Views(), {"crops": 1}, "1 crop"),
        (Views(flip=True), {"crops": 1, "flip": True}, "1 crop and its mirror image"),
        (Views(10, size=40), {"crops": 10, "size": 40}, "10 crops of 40 px"),
        (
            Views(5, size=320, short=352),
            {"crops": 5, "size": 320, "short": 352},
            "5 crops of 320 px at a shorter side of 352 px",
        ),
        (Views(144), {"crops": 144}, "144 crops"),
    ],
)
def test_views_are_written_in_one_way(views: Views, written: dict[str, Any], words: str) -> None:
    assert views.to_json() == written
    assert Views.from_json(written) == views
    assert str(views) == words


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"crops": 3}, "`crops` must be one of 1, 5, 10, 144, got 3"),
        ({"size": 4}, "`size` must be between 8 and 16,384 pixels, got 4"),
        ({"crops": 5, "flip": True}, "that is `crops=10`"),
        ({"crops": 144, "flip": True}, "these have their mirror images already"),
        ({"crops": 144, "short": 256}, "`short` does not go with 144 crops"),
        ({"size": 40, "short": 36}, "`short` must be at least `size`, got 36 and 40"),
    ],
)
def test_what_means_nothing_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Views(**given)


def test_another_spelling_is_no_canonical_form() -> None:
    with pytest.raises(ValueError, match="not written as views are"):
        Views.from_json({"crops": 1, "flip": False})
