"""The lines of a study's tests, in results/STUDY/tests/tests.jsonl, one for each network or ensemble that was tested.

Beside them are the outcomes, `KEY-HASH.bits`, in the format of those of trials: a bit for each image. They are on the
disk before their line, and the line has their SHA-256.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ablations.errors import RecordError
from ablations.planning.networks.views import Views
from ablations.running.machine.durable import not_written
from ablations.running.machine.locks import locked
from ablations.running.record.json_lines import add_line, content_of, read_lines
from ablations.running.record.outcomes import MOST_BYTES, SUFFIX, Outcomes, hash_of, write_kept
from senet_core.bounded import read_bounded
from senet_core.errors import UserError

FOLDER = "tests"
FILE_NAME = "tests.jsonl"
_KEY_DIGITS, _HASH_DIGITS = 16, 8
_HEX = frozenset("0123456789abcdef")

Network = tuple[str, str]
"""The key of a trial, and the SHA-256 of its network's weights."""


@dataclass(frozen=True)
class MeasuredLine:
    """One network, or the mean of several, on some images in some views.

    Attributes:
        key: of what was tested, how, and on what.
        networks: in order of the trials' keys; one, or those of an ensemble, whose probabilities are averaged.
        views: what they saw of each image, as `Views.to_json` has it.
        images: which, as `ImagesToTest.to_json` has it.
        top1_error: in per cent.
        top5_error: that of the five best guesses; None where there are at most five classes.
        loss: mean cross-entropy.
        outcomes_sha256: of the file that has one bit for each image.
        seconds: that it took.
        environment: versions and processor.
    """

    key: str
    networks: tuple[Network, ...]
    views: Mapping[str, Any]
    images: Mapping[str, Any]
    top1_error: float
    top5_error: float | None
    loss: float
    outcomes_sha256: str
    seconds: float
    environment: Mapping[str, Any]

    @property
    def copies(self) -> int:
        """How often the same images were tested, corrupted in another way each time."""
        return int(self.images.get("copies", 1))


def key_of_test(networks: Sequence[Network], views: Views, images: Mapping[str, Any]) -> str:
    """Return the key of a test: a hash of its networks, views and images."""
    asked = {"networks": sorted(networks), "views": views.to_json(), "images": dict(images)}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:_KEY_DIGITS]


def read_tests(folder: Path) -> tuple[MeasuredLine, ...]:
    """Read the tests of a study, the newest line of each; an unfinished last line is passed over.

    Args:
        folder: results/STUDY.

    Raises:
        RecordError: the file cannot be read, or a line in it is corrupt.
    """
    found = read_lines(folder / FOLDER / FILE_NAME, "the tests", _parsed)
    return tuple({line.key: line for line in found}.values())


def add_test(folder: Path, line: MeasuredLine, right: npt.NDArray[np.bool_]) -> MeasuredLine:
    """Add a test durably, its outcomes, then its line; return the line, with the hash of these.

    Args:
        folder: results/STUDY.
        line: whose `outcomes_sha256` is filled in here.
        right: (images,).

    Raises:
        DiskError: a file cannot be written.
    """
    content = Outcomes(line.key, str(line.images["digest"]), right).to_bytes()
    line = replace(line, outcomes_sha256=hash_of(content))
    path = outcomes_file(folder, line.key, line.outcomes_sha256)
    try:
        write_kept(path, content)
        with locked(folder / FOLDER / ".tests.lock"):
            add_line(folder / FOLDER / FILE_NAME, "the tests", json.dumps(asdict(line), allow_nan=False))
    except OSError as error:
        raise not_written(f"the test {path}", error, chosen=False) from error
    return line


def read_right(folder: Path, line: MeasuredLine) -> npt.NDArray[np.bool_]:
    """Read the outcomes of a test: (images,) bool.

    Raises:
        RecordError: the file is missing or damaged, or has other outcomes than the line says.
    """
    path = outcomes_file(folder, line.key, line.outcomes_sha256)
    mend = "put it back from another copy, or remove the line from tests.jsonl: it is then tested again"
    try:
        content = read_bounded(path, MOST_BYTES)
        found = Outcomes.from_bytes(content)
        if hash_of(content) != line.outcomes_sha256:
            raise ValueError("its content is not that which its line names")
        if (found.key, found.data_digest, len(found.right)) != (
            line.key,
            line.images["digest"],
            line.images["images"],
        ):
            raise ValueError("it is of another test")
    except OSError as error:
        raise RecordError(f"cannot read the outcomes {path}: {error.strerror or error}; {mend}") from error
    except ValueError as error:
        raise RecordError(f"the outcomes {path} are damaged: {error}; {mend}") from error
    return found.right


def outcomes_file(folder: Path, key: str, sha256: str) -> Path:
    """Return where the outcomes of a test are.

    Args:
        folder: results/STUDY.
        key: of the test.
        sha256: of the outcomes.
    """
    return folder / FOLDER / f"{key}-{sha256[:_HASH_DIGITS]}{SUFFIX}"


def _parsed(line: bytes) -> MeasuredLine:
    fields = content_of(line)
    fields["networks"] = tuple((str(key), str(digest)) for key, digest in fields["networks"])
    found = MeasuredLine(**fields)
    for text, digits in ((found.key, _KEY_DIGITS), (found.outcomes_sha256, 64)):
        if not (isinstance(text, str) and len(text) == digits and _HEX.issuperset(text)):
            raise ValueError(f"{str(text)[:64]!r} is no hash")
    numbers = (found.top1_error, found.loss, found.seconds, *_present(found.top5_error))
    if not all(isinstance(number, int | float) and number >= 0 for number in numbers):
        raise TypeError("errors, loss and seconds must be numbers of at least 0")
    if not all(isinstance(found.images[name], str) for name in ("name", "digest")):
        raise TypeError("images need a name and a digest")
    try:
        views = Views.from_json(found.views)
    except UserError as error:
        raise ValueError(str(error)) from error
    if found.key != key_of_test(found.networks, views, found.images):
        raise ValueError("its key is not that of what it says")
    return found


def _present(value: float | None) -> tuple[float, ...]:
    return () if value is None else (value,)
