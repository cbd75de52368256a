"""The original batches: read exactly, and never executed."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch

from ablations.errors import DataError
from ablations.running.data import data_spec, ensure_prepared, prepare
from ablations.running.data.plain_pickle import unpickle
from senet_core.errors import UserError

Noise = Callable[..., np.ndarray]
Pack = Callable[[Path, str], Path]


def dump(path: Path, content: Any, protocol: int = 2) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content, protocol=protocol))


def cifar10(root: Path, noise: Noise) -> Path:
    folder = root / "cifar-10-batches-py"
    pixels = noise(24, 3072)
    for number in range(6):
        name = f"data_batch_{number + 1}" if number < 5 else "test_batch"
        rows = slice(4 * number, 4 * number + 4)
        dump(folder / name, {b"data": pixels[rows], b"labels": [number, 1, 2, 9], b"batch_label": b"x"})
    dump(folder / "batches.meta", {b"label_names": [f"class {i}".encode() for i in range(10)]})
    return root


@pytest.mark.parametrize("form", ["below", "itself", "cifar-10-python.tar.gz"])
def test_cifar10_keeps_the_authors_order_and_planes(
    tmp_path: Path, noise: Noise, pack: Pack, form: str
) -> None:
    root = cifar10(tmp_path / "root", noise)
    source = {"below": root, "itself": root / "cifar-10-batches-py"}.get(form) or pack(root, form)
    data = prepare(data_spec("cifar10"), tmp_path / "data", source)
    planes = torch.from_numpy(noise(24, 3072)).view(24, 3, 32, 32)
    assert torch.equal(data.train_images.permute(0, 3, 1, 2), planes[:20])
    assert torch.equal(data.test_images.permute(0, 3, 1, 2), planes[20:])
    assert data.train_labels.tolist() == [value for number in range(5) for value in (number, 1, 2, 9)]
    assert data.test_labels.tolist() == [5, 1, 2, 9]
    assert data.classes[3] == "class 3"
    assert data.note == ""


def test_of_a_folder_of_downloads_the_batches_alone_are_compared(tmp_path: Path, noise: Noise) -> None:
    root, data = cifar10(tmp_path / "downloads", noise), tmp_path / "data"
    digest = prepare(data_spec("cifar10"), data, root).digest
    (root / "letter.txt").write_text("Dear")
    assert ensure_prepared(data_spec("cifar10"), data).digest == digest
    batch = root / "cifar-10-batches-py/test_batch"
    batch.write_bytes(batch.read_bytes() + b"more")
    with pytest.raises(DataError, match=f"^{root} was changed since it was prepared"):
        ensure_prepared(data_spec("cifar10"), data)


def test_cifar100_takes_the_fine_labels(tmp_path: Path, noise: Noise) -> None:
    root = tmp_path / "cifar-100-python"
    for name in ("train", "test"):
        dump(root / name, {b"data": noise(2, 3072), b"fine_labels": [99, 0], b"coarse_labels": [1, 1]})
    dump(root / "meta", {b"fine_label_names": [b"%d" % i for i in range(100)], b"coarse_label_names": []})
    data = prepare(data_spec("cifar100"), tmp_path / "data", root)
    assert data.train_labels.tolist() == [99, 0]
    assert data.num_classes == 100


class Malicious:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_batch_that_carries_code_is_refused_and_not_run(
    tmp_path: Path, noise: Noise, protocol: int
) -> None:
    root = cifar10(tmp_path / "root", noise)
    content = {b"data": Malicious(tmp_path / "run"), b"labels": [0]}
    dump(root / "cifar-10-batches-py" / "data_batch_2", content, protocol)
    with pytest.raises(
        UserError, match=r"data_batch_2': it asks for \w+.mkdir, which image data does not need"
    ):
        prepare(data_spec("cifar10"), tmp_path / "data", root)
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "data" / "cifar10.safetensors").exists()


@pytest.mark.parametrize("name", ["eval", "getattr", "__import__"])
def test_builtins_are_out_of_reach(name: str) -> None:
    with pytest.raises(UserError, match=f"asks for .*{name}"):
        unpickle(b"cbuiltins\n" + name.encode() + b"\n.", "batch")


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_plain_data_is_read_in_every_protocol(noise: Noise, protocol: int) -> None:
    content = {b"data": noise(2, 5), b"labels": [1, 2], "text": "x", b"none": None}
    read = unpickle(pickle.dumps(content, protocol=protocol), "batch")
    assert np.array_equal(read[b"data"], content[b"data"])
    assert read[b"labels"] == [1, 2]


@pytest.mark.parametrize("data", [b"", b"garbage", pickle.dumps({b"a": list(range(9))})[:-5], b"]."])
def test_a_damaged_batch_is_one_line(data: bytes) -> None:
    with pytest.raises(UserError, match=r"^cannot read the python batch 'test_batch': .*$"):
        unpickle(data, "test_batch")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({b"data": np.zeros((2, 3072), np.uint8), b"labels": [0, 10]}, r"label 10 is out of range.*0\.\.9"),
        ({b"data": np.zeros((2, 3072), np.uint8), b"labels": [0, -1]}, "label -1 is out of range"),
        ({b"data": np.zeros((2, 3072), np.uint8), b"labels": [0]}, "2 images and 1 labels"),
        ({b"data": np.zeros((2, 3072), np.uint8)}, "does not hold a list of labels"),
        ({b"data": np.zeros((2, 100), np.uint8), b"labels": [0, 1]}, "does not hold rows of 3072 bytes"),
        ({b"data": np.zeros((2, 3072)), b"labels": [0, 1]}, "numbers of type 'f8'; u1 and i8 are allowed"),
        ({b"labels": [0, 1]}, "does not hold rows of 3072 bytes"),
    ],
)
def test_a_batch_of_the_wrong_content_is_refused(
    tmp_path: Path, noise: Noise, content: dict[bytes, Any], message: str
) -> None:
    root = cifar10(tmp_path / "root", noise)
    dump(root / "cifar-10-batches-py" / "test_batch", content)
    with pytest.raises(UserError, match=message):
        prepare(data_spec("cifar10"), tmp_path / "data", root)


def test_missing_batches_are_named(tmp_path: Path, noise: Noise) -> None:
    root = cifar10(tmp_path / "root", noise)
    (root / "cifar-10-batches-py" / "data_batch_4").unlink()
    with pytest.raises(
        UserError, match="the python batches of cifar10 are not complete: data_batch_4 missing"
    ):
        prepare(data_spec("cifar10"), tmp_path / "data", root)


def test_batches_without_class_names_are_refused(tmp_path: Path, noise: Noise) -> None:
    root = cifar10(tmp_path / "root", noise)
    dump(root / "cifar-10-batches-py" / "batches.meta", {b"label_names": [b"one"]})
    with pytest.raises(UserError, match=r"batches.meta' does not name 10 classes"):
        prepare(data_spec("cifar10"), tmp_path / "data", root)


def _forged(
    state: Any, dtype: bytes = b"u1", dtype_state: Any = (3, "|", None, None, None, -1, -1, 0)
) -> bytes:
    """Assemble a pickle of an array by hand: what numpy itself would never write."""
    stream = io.BytesIO()
    pickler = pickle._Pickler(stream, 2)  # type: ignore[attr-defined]
    stream.write(b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n")
    stream.write(b"cnumpy\nndarray\nK\x00\x85U\x01b\x87R")

    def put(value: Any) -> None:
        part = io.BytesIO()
        pickle._Pickler(part, 2).dump(value)  # type: ignore[attr-defined]
        stream.write(part.getvalue()[2:-1])  # without its frame

    del pickler
    version, shape, data = state
    stream.write(b"(")
    put(version)
    put(shape)
    stream.write(b"cnumpy\ndtype\nU" + bytes([len(dtype)]) + dtype + b"K\x00K\x01\x87R")
    put(dtype_state)
    stream.write(b"b\x89")
    put(data)
    stream.write(b"tb.")
    return stream.getvalue()


def _in_a_dict(array: bytes) -> bytes:
    return b"\x80\x02}U\x04data" + array[2:-1] + b"s."


def test_a_forged_array_that_is_plain_is_read() -> None:
    read = unpickle(_in_a_dict(_forged((1, (2, 3), b"abcdef"))), "batch")
    assert read[b"data"].tolist() == [[97, 98, 99], [100, 101, 102]]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (_forged((1, (1,), b"\x00" * 8), dtype=b"O8"), "numbers of type 'O8'"),
        (_forged((1, (1,), b"\x00" * 8), dtype=b"V8"), "numbers of type 'V8'"),
        (_forged((1, (1,), [object]), dtype=b"u1"), "asks for __builtin__.object"),
        (_forged((1, (1,), [1]), dtype=b"u1"), "is not one of plain numbers"),
        (_forged((1, (10**9,), b"abc"), dtype=b"u1"), "has 3 bytes, and a shape"),
        (_forged((1, (-1,), b"abc"), dtype=b"u1"), "is not one of plain numbers"),
        (
            _forged((1, (3,), b"abc"), dtype_state=(3, "|", (b"u1", (8,)), None, None, -1, -1, 0)),
            "form that image data",
        ),
        (
            _forged((1, (3,), b"abc"), dtype_state=(3, "|", None, ("f",), {}, 8, 1, 63)),
            "form that image data",
        ),
        (
            _forged((1, (1,), b"\x00" * 8), dtype=b"i8", dtype_state=(3, ">", None, None, None, -1, -1, 0)),
            "form that",
        ),
    ],
)
def test_arrays_of_anything_but_plain_numbers_are_refused(array: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        unpickle(_in_a_dict(array), "batches.meta")


@pytest.mark.parametrize(
    "name", [b"numpy\nndarray", b"numpy\ndtype", b"numpy.core.multiarray\n_reconstruct", b"_codecs\nencode"]
)
@pytest.mark.parametrize("state", [b"}U\x01xK\x01s", b"N}U\x05valueK\x01s\x86", b"(K\x01tb"])
def test_nothing_is_put_into_a_name(name: bytes, state: bytes) -> None:
    """BUILD gives a state to whatever is on the stack: also to a type or a function."""
    with pytest.raises(UserError, match="cannot read the python batch"):
        unpickle(b"\x80\x02c" + name + b"\n" + state + b"b.", "batch")


def repr_of(label: Any) -> str:
    return f"{type(label).__name__}-{label.bit_length() if isinstance(label, int) else label}"


@pytest.mark.parametrize("label", [2**70, -(2**70), 2**31, 2**99_999, True, 1.0, None, "1"], ids=repr_of)
def test_odd_labels_are_one_line(tmp_path: Path, noise: Noise, label: Any) -> None:
    root = cifar10(tmp_path / "root", noise)
    content = {b"data": noise(2, 3072), b"labels": [1, label]}
    dump(root / "cifar-10-batches-py" / "data_batch_2", content)
    with pytest.raises(UserError, match=r"data_batch_2': (label -?\d+ is out of range|.*)|list of labels"):
        prepare(data_spec("cifar10"), tmp_path / "data", root)


@pytest.mark.parametrize(
    "data", [b"\x80\x02]r\xff\xff\xff\xff.", b"\x80\x05\x96\xff\xff\xff\xff\xff\x00\x00\x00."]
)
def test_a_pickle_takes_no_more_memory_than_it_has(data: bytes) -> None:
    """Memos and byte arrays of any size can be named in a few bytes."""
    with memory_of(2**31), pytest.raises(UserError, match="cannot read the python batch"):
        unpickle(data, "batch")


@contextlib.contextmanager
def memory_of(more: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (used + more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.slow
def test_no_bytes_of_any_pickle_end_the_process(noise: Noise) -> None:
    """Two thousand damaged batches: each is read or refused."""
    whole = bytearray(pickle.dumps({b"data": noise(2, 3072), b"labels": [1, 2]}, protocol=2))
    random = np.random.default_rng(0)
    for _ in range(2000):
        damaged = bytearray(whole)
        for place in random.integers(0, len(whole), random.integers(1, 6)):
            damaged[place if random.random() < 0.5 else place % 160] = random.integers(0, 256)
        with contextlib.suppress(UserError):
            unpickle(bytes(damaged), "batch")
