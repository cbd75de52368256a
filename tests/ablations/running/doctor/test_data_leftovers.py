"""What a killed preparation of data left is found, and removed where nobody can be working on it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ablations.running.doctor.data import check_data
from ablations.running.doctor.finding import Finding


def looked_at(folder: Path, *, fix: bool) -> list[Finding]:
    return [finding for finding in check_data(folder, (), fix=fix) if finding.level != "ok"]


def test_leftovers_of_killed_preparations_are_removed_and_those_under_way_stay(tmp_path: Path) -> None:
    long_ago = time.time() - 7200
    for name in ("old", "new"):
        download = tmp_path / f".download-{name}" / "cifar"
        download.mkdir(parents=True)
        (download / "part.tar.gz").touch()
        (tmp_path / f".cifar10.safetensors.{name}.partial").touch()
        if name == "old":
            for path in (
                download / "part.tar.gz",
                download,
                download.parent,
                tmp_path / f".cifar10.safetensors.{name}.partial",
            ):
                os.utime(path, (long_ago, long_ago))
    # a download that has lasted for long: its folder is old, and its file grows
    os.utime(tmp_path / ".download-new", (long_ago, long_ago))
    assert [finding.mended for finding in looked_at(tmp_path, fix=False)] == [False] * 4
    assert sum(finding.mended for finding in looked_at(tmp_path, fix=True)) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".cifar10.safetensors.new.partial",
        ".download-new",
    ]
