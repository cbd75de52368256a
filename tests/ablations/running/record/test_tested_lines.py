"""The lines of tests and their outcomes: read as written, and refused where they were changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ablations.errors import RecordError
from ablations.planning.networks.views import Views
from ablations.running.record.tested.lines import (
    MeasuredLine,
    add_test,
    key_of_test,
    read_right,
    read_tests,
)
from ablations.running.record.tested.probabilities import keep_probabilities, read_probabilities

NETWORKS = (("0" * 16, "a" * 64), ("1" * 16, "b" * 64))
IMAGES = {"name": "digits", "digest": "c" * 64, "images": 5}
RIGHT = np.array([True, False, True, True, False])


def line(**changes: Any) -> MeasuredLine:
    """Return a line of an ensemble."""
    views = Views(10)
    fields: dict[str, Any] = {
        "key": key_of_test(NETWORKS, views, IMAGES),
        "networks": NETWORKS,
        "views": views.to_json(),
        "images": IMAGES,
        "top1_error": 40.0,
        "top5_error": None,
        "loss": 1.5,
        "outcomes_sha256": "",
        "seconds": 0.1,
        "environment": {"torch": "2"},
    }
    return MeasuredLine(**{**fields, **changes})


def test_a_test_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = add_test(tmp_path, line(), RIGHT)
    assert read_tests(tmp_path) == (written,)
    assert read_right(tmp_path, written).tolist() == RIGHT.tolist()


def test_the_key_is_of_networks_views_and_images() -> None:
    keys = {
        key_of_test(NETWORKS, Views(10), IMAGES),
        key_of_test(NETWORKS[:1], Views(10), IMAGES),
        key_of_test(NETWORKS, Views(5), IMAGES),
        key_of_test(NETWORKS, Views(10), {**IMAGES, "digest": "d" * 64}),
        key_of_test([("0" * 16, "e" * 64), NETWORKS[1]], Views(10), IMAGES),
    }
    assert len(keys) == 5
    assert key_of_test(NETWORKS[::-1], Views(10), IMAGES) in keys, "members have no order"


def test_a_line_that_was_cut_off_is_passed_over_and_written_again(tmp_path: Path) -> None:
    add_test(tmp_path, line(), RIGHT)
    file = tmp_path / "tests" / "tests.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    assert read_tests(tmp_path) == ()
    written = add_test(tmp_path, line(), RIGHT)
    assert read_tests(tmp_path) == (written,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"key": "0" * 16}, "its key is not that of what it says"),
        ({"key": "../../x"}, "is no hash"),
        ({"top1_error": "none"}, "must be numbers"),
        ({"views": {"crops": 3}}, "must be one of 1, 5, 10, 144"),
    ],
)
def test_a_changed_line_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    add_test(tmp_path, line(), RIGHT)
    file = tmp_path / "tests" / "tests.jsonl"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}) + "\n")
    with pytest.raises(RecordError, match=rf"line 1 is corrupt: .*{message}"):
        read_tests(tmp_path)


def test_changed_outcomes_are_refused(tmp_path: Path) -> None:
    written = add_test(tmp_path, line(), RIGHT)
    [file] = (tmp_path / "tests").glob("*.bits")
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 128]))
    with pytest.raises(RecordError, match="its content is not that which its line names"):
        read_right(tmp_path, written)
    file.unlink()
    with pytest.raises(RecordError, match="cannot read the outcomes"):
        read_right(tmp_path, written)


def test_probabilities_are_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    given = np.random.default_rng(0).random((5, 3)).astype(np.float32)
    assert read_probabilities(tmp_path, "k") is None
    keep_probabilities(tmp_path, "k", given)
    found = read_probabilities(tmp_path, "k")
    assert found is not None
    assert np.array_equal(found, given)
    file = tmp_path / "tests" / "k.probabilities"
    file.write_bytes(file.read_bytes()[:-4])
    assert read_probabilities(tmp_path, "k") is None
