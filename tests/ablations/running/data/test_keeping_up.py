"""No trial is trained on old images: what a file was prepared from is compared before, and read again when asked."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ablations.errors import DataError
from ablations.planning.networks.data_spec import DataSpec
from ablations.running.data import data_spec, ensure_prepared, load, prepare, prepared_path, refresh
from ablations.running.data.made_from import MadeFrom, SourceState, compare_source, note_source
from ablations.running.doctor.data import check_data
from ablations.running.doctor.finding import Finding

MakeTree = Callable[..., Path]
Pack = Callable[[Path, str], Path]
KINDS = ("cat", "dog")
LATER = 2_000_000_000_000_000_000


@pytest.fixture
def pets(tmp_path: Path, make_tree: MakeTree) -> tuple[Path, DataSpec, Path]:
    """A folder of images, prepared: folder, specification, data folder."""
    root = make_tree(classes=KINDS)
    spec = DataSpec(name="image-folder", path=str(root), size=16)
    prepare(spec, tmp_path / "data")
    return root, spec, tmp_path / "data"


def paint(path: Path) -> None:
    """Give an image another colour, at a time of its own."""
    Image.new("RGB", (32, 32), (250, 250, 250)).save(path)
    os.utime(path, ns=(LATER, LATER))


def replaced_all(root: Path) -> None:
    for path in root.rglob("*.png"):
        paint(path)


def replaced_one(root: Path) -> None:
    paint(root / "train/cat/0001.png")


def same_size(root: Path) -> None:
    """Another image with as many bytes."""
    path = root / "train/cat/0001.png"
    path.write_bytes((root / "train/dog/0000.png").read_bytes())
    os.utime(path, ns=(LATER, LATER))


def added(root: Path) -> None:
    shutil.copy2(root / "train/cat/0001.png", root / "train/cat/0009.png")


def removed(root: Path) -> None:
    (root / "test/dog/0001.png").unlink()


def renamed(root: Path) -> None:
    (root / "train/cat/0001.png").rename(root / "train/cat/0009.png")


def another_class(root: Path) -> None:
    for part in ("train", "test"):
        shutil.copytree(root / part / "cat", root / part / "cow")


def half_a_class(root: Path) -> None:
    shutil.copytree(root / "train/cat", root / "train/cow")


def broken(root: Path) -> None:
    (root / "train/cat/0001.png").write_bytes(b"no image")


CHANGES = [
    replaced_all,
    replaced_one,
    same_size,
    added,
    removed,
    renamed,
    another_class,
    half_a_class,
    broken,
]


def found(data_dir: Path, spec: DataSpec | None = None) -> dict[str, Finding]:
    """What the doctor says of a source, by level."""
    return {
        each.level: each
        for each in check_data(data_dir, () if spec is None else (spec,), fix=False)
        if "source" in each.what or "noted" in each.what
    }


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_changed_folder_is_refused_and_nothing_is_lost(pets: Any, change: Callable[[Path], None]) -> None:
    root, spec, data = pets
    before = prepared_path(spec, data).read_bytes()
    change(root)
    with pytest.raises(
        DataError, match=f"^{root} was changed since .* data prepare image-folder .* --refresh .*`, or put"
    ) as caught:
        ensure_prepared(spec, data)
    assert "\n" not in str(caught.value)
    assert prepared_path(spec, data).read_bytes() == before
    assert [path.name for path in data.iterdir()] == [prepared_path(spec, data).name]
    said = found(data, spec)
    assert not ({"ok"} & said.keys())
    assert all("--refresh" in finding.how_to_mend for finding in said.values())


@pytest.mark.parametrize("change", CHANGES[:7], ids=lambda change: change.__name__)
def test_a_refreshed_folder_is_the_new_one(pets: Any, change: Callable[[Path], None]) -> None:
    root, spec, data = pets
    before = load(prepared_path(spec, data)).digest
    change(root)
    now, was = refresh(spec, data)
    assert was == before != now.digest
    assert ensure_prepared(spec, data).digest == now.digest
    assert "verified against its source" in found(data, spec)["ok"].what


def test_another_name_at_the_same_place_is_no_other_image(pets: Any) -> None:
    root, spec, data = pets
    (root / "train/cat/0001.png").rename(root / "train/cat/0001b.png")
    now, was = refresh(spec, data)
    assert (was, ensure_prepared(spec, data).digest) == (now.digest, now.digest)


def test_a_refresh_that_fails_leaves_the_old_file(pets: Any) -> None:
    root, spec, data = pets
    before = prepared_path(spec, data).read_bytes()
    broken(root)
    with pytest.raises(DataError, match="cannot read the image"):
        refresh(spec, data)
    assert prepared_path(spec, data).read_bytes() == before


def test_what_was_only_touched_goes_on_and_is_said_once(pets: Any) -> None:
    root, spec, data = pets
    before = load(prepared_path(spec, data)).digest
    for path in root.rglob("*.png"):
        os.utime(path, ns=(LATER, LATER))
    assert "same names and sizes" in found(data, spec)["warning"].what
    said: list[str] = []
    assert ensure_prepared(spec, data, said.append).digest == before
    assert said == [
        f"{root} was touched since it was prepared; its images are read again",
        f"its images are the same (digest {before[:12]})",
    ]
    assert "verified against its source" in found(data, spec)["ok"].what
    assert ensure_prepared(spec, data, said.append).digest == before
    assert len(said) == 2
    assert [path.name for path in data.iterdir()] == [prepared_path(spec, data).name]


def test_what_is_no_image_changes_nothing(pets: Any) -> None:
    root, spec, data = pets
    (root / "train/cat/.DS_Store").write_bytes(b"x")
    (root / "README.txt").write_text("words")
    (root / "more").mkdir()
    assert compare_source(load(prepared_path(spec, data)).made_from) is SourceState.SAME


def test_a_source_that_is_gone_or_moved_is_no_fault(pets: Any) -> None:
    root, spec, data = pets
    root.rename(root.with_name("away"))
    said: list[str] = []
    ensure_prepared(spec, data, said.append)
    assert said == []
    assert "is not there" in found(data, spec)["ok"].what


@pytest.mark.parametrize("form", ["", "a.tar.gz", "a.zip"])
@pytest.mark.parametrize("size", [3, 3_000_000])
def test_a_copy_of_a_download_is_compared_too(
    tmp_path: Path, make_tree: MakeTree, pack: Pack, form: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, data, spec = make_tree("outer"), tmp_path / "data", data_spec("cifar10")
    if form:
        (root / "train/cat/._x").write_bytes(os.urandom(size))  # an archive of several MiB
    source = pack(root, form) if form else root
    monkeypatch.chdir(tmp_path)
    held = prepare(spec, data, Path(source.name))
    assert held.made_from is not None
    assert held.made_from.path == str(source)
    monkeypatch.chdir("/")
    assert ensure_prepared(spec, data).digest == held.digest
    replaced_one(root)
    if form:
        pack(root, form)
    with pytest.raises(DataError, match=f"^{source} was changed .* data prepare cifar10 --refresh .*`"):
        ensure_prepared(spec, data)
    now, was = refresh(spec, data)
    assert was == held.digest != now.digest
    assert ensure_prepared(spec, data).digest == now.digest


def test_a_touched_archive_goes_on(tmp_path: Path, make_tree: MakeTree, pack: Pack) -> None:
    archive, said = pack(make_tree("outer"), "a.zip"), []  # type: ignore[var-annotated]
    held = prepare(data_spec("cifar10"), tmp_path / "data", archive)
    os.utime(archive, ns=(LATER, LATER))
    assert ensure_prepared(data_spec("cifar10"), tmp_path / "data", said.append).digest == held.digest
    assert len(said) == 2


def test_an_older_file_goes_on_and_is_said_to_be_unknown(pets: Any) -> None:
    root, spec, data = pets
    path = prepared_path(spec, data)
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    del header["__metadata__"]["made_from"]
    path.write_bytes(content[:8] + json.dumps(header).encode().ljust(length) + content[8 + length :])
    replaced_all(root)
    assert ensure_prepared(spec, data).made_from is None
    assert "cannot be compared" in found(data, spec)["ok"].what


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"path": 3, "files": "", "times": ""}',
        '{"path": "\\u0000", "files": "", "times": ""}',
    ],
)
def test_a_damaged_note_is_a_damaged_file(pets: Any, text: str) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        MadeFrom.from_text(text)


def test_a_name_of_any_bytes_is_noted(tmp_path: Path, make_tree: MakeTree) -> None:
    make_tree("tree").rename(source := Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")))
    noted = note_source(source)
    assert MadeFrom.from_text(noted.to_text()) == noted
    prepare(data_spec("cifar10"), tmp_path / "data", source)
    assert ensure_prepared(data_spec("cifar10"), tmp_path / "data").made_from == noted
