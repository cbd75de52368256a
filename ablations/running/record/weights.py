"""The weights of finished trials' networks, of a study that says `keep_weights: true`: what was tested, in safetensors.

`results/STUDY/weights/KEY-HASH.safetensors` has those of one trial, under the names of `build_model`'s networks. The
trial's line in the record has the SHA-256 of all weights, as that of any trial, and HASH is the beginning of it: a
file can be kept later, from a training that ends in the same bits, and be removed; no line changes. What the file says
of itself is in its metadata, with a digest. It is on the disk before its line.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablations.errors import RecordError
from ablations.running.record.schema import NewerSchema, check_schema
from ablations.running.record.trial_record import TrialRecord, TrialResult
from senet_core.bounded import GIB, read_bounded
from senet_core.errors import printable

if TYPE_CHECKING:
    from torch import Tensor

FOLDER = "weights"
SUFFIX = ".safetensors"
KIND, SCHEMA = "senet-ablations weights", 1
MOST_BYTES = 32 * GIB
"""Limit of a file: weights of eight thousand million parameters."""

AGAIN = "`ablate reproduce STUDY KEY --keep-weights` trains a network again for its weights"
MEND = f"put that file back from another copy of the results, or remove it; {AGAIN}"
_HASH_DIGITS = 8
_KEY, _HASH = re.compile(r"[0-9A-Za-z_-]{1,64}"), re.compile(r"[0-9a-f]{64}")


def pack_weights(state: Mapping[str, Tensor], about: Mapping[str, str]) -> bytes:
    """Return the content of a file.

    Args:
        state: the state dict of what was tested, without what acts in training only.
        about: what is said of it: `key`, `backbone`, `variant`, `num_classes`, `in_channels`, and more for users.
    """
    from safetensors.torch import save

    # copies: layers may share a weight, and a file has each of its own
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in state.items()}
    content = save(tensors)
    told = {"format": "pt", "kind": KIND, "schema": str(SCHEMA), **about}  # libraries ask for a `format`
    told["digest"] = _digest(told, _tensors(content))
    head, begin = _head(content)  # written anew: the library has what is said of the tensors in any order
    text = json.dumps({"__metadata__": told, **head}).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + content[begin:]


def hash_of_weights(weights: Iterable[tuple[str, Any]]) -> str:
    """Return what the record says of weights: the SHA-256 of their names and bytes, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for name, content in sorted(weights, key=lambda named: named[0]):
        digest.update(name.encode())
        digest.update(content)
    return digest.hexdigest()


def check_weights(content: bytes, line: TrialRecord) -> Mapping[str, str]:
    """Return what a file says of its weights, which must be those that a line of the record speaks of.

    Raises:
        NewerSchema: a newer version wrote it.
        ValueError: they are damaged, or another trial's.
    """
    from safetensors import SafetensorError

    try:
        tensors = _tensors(content)
        about: dict[str, str] = _head(content)[0]["__metadata__"]
        if about["kind"] != KIND:
            raise ValueError("it does not say that it has the weights of a trial")
        check_schema(int(about["schema"]), SCHEMA)
        said = about.pop("digest")
    except SafetensorError as error:
        raise ValueError(f"it is no file of safetensors, or is not whole: {error}") from error
    except (KeyError, TypeError) as error:
        raise ValueError("it does not say that it has the weights of a trial") from error
    if about["key"] not in (line.key, line.written_as):
        raise ValueError(f"it is of trial {printable(about['key'])[:64]}")
    if said != _digest(about, tensors):
        raise ValueError("what it says of itself was changed")
    proof = None if line.result is None else line.result.proof
    if hash_of_weights((name, tensor["data"]) for name, tensor in tensors) != proof:
        raise ValueError("its weights are not those that the record names")
    return about


def weights_file(folder: Path, line: TrialRecord) -> Path | None:
    """Return where the weights of a line are, if they are kept; None where it has no network.

    Args:
        folder: results/STUDY.
        line: of the record.
    """
    if not isinstance(line.result, TrialResult) or not _KEY.fullmatch(line.key):
        return None
    digest = line.result.weights_sha256
    if not _HASH.fullmatch(digest):  # of a line that was made by hand
        return None
    return folder / FOLDER / f"{line.key}-{digest[:_HASH_DIGITS]}{SUFFIX}"


def has_weights(folder: Path, line: TrialRecord) -> bool:
    """Return whether the weights of a line are kept; they are not read."""
    path = weights_file(folder, line)
    return path is not None and path.is_file()


def read_weights(folder: Path, line: TrialRecord) -> tuple[bytes, Mapping[str, str]]:
    """Read the weights of a line of the record.

    Returns:
        The content of the file, and what it says of itself.

    Raises:
        RecordError: they are not kept, or the file is damaged or has other weights than the line says.
    """
    path = weights_file(folder, line)
    if path is None or not path.exists():
        raise RecordError(
            f"trial {line.key} has no weights in {folder / FOLDER}: they were not kept, or were removed; {AGAIN}"
        )
    try:
        content = read_bounded(path, MOST_BYTES)
        return content, check_weights(content, line)
    except OSError as error:
        raise RecordError(f"cannot read the weights {path}: {error.strerror or error}; {MEND}") from error
    except NewerSchema as error:
        raise RecordError(f"the weights {path} cannot be read here: {error}") from error
    except ValueError as error:
        raise RecordError(f"the weights {path} are damaged: {error}; {MEND}") from error


def _tensors(content: bytes) -> list[tuple[str, dict[str, Any]]]:
    from safetensors import deserialize

    found: list[tuple[str, dict[str, Any]]] = deserialize(content)  # type: ignore[no-untyped-call]
    return found


def _head(content: bytes) -> tuple[dict[str, Any], int]:
    """Return what stands before the values of a whole file, and where they begin."""
    begin = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:begin]), begin


def _digest(about: Mapping[str, str], tensors: Iterable[tuple[str, dict[str, Any]]]) -> str:
    """Return a digest of what stands in a file beside its weights."""
    shapes = {name: [str(tensor["dtype"]), list(tensor["shape"])] for name, tensor in tensors}
    return hashlib.sha256(json.dumps([dict(about), shapes], sort_keys=True).encode()).hexdigest()
