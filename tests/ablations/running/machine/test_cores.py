"""The cores that a process may use, by the quotas of its cgroups."""

from __future__ import annotations

from pathlib import Path

import pytest

from ablations.running.machine import cores
from ablations.running.machine.cores import available_cores, quotas


def written(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("membership", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, [1.5]),  # a container of Docker
        ("0::/\n", {"cpu.max": "max 100000\n"}, []),
        (  # a job of SLURM, limited above its own group
            "0::/slurm/job_7/step_0\n",
            {"slurm/job_7/cpu.max": "400000 100000", "slurm/job_7/step_0/cpu.max": "max 100000"},
            [4.0],
        ),
        ("0::/host/name\n", {"cpu.max": "200000 100000"}, [2.0]),  # a name of the host's, inside a container
        (
            "5:cpu,cpuacct:/docker/x\n3:memory:/y\n",
            {"cpu,cpuacct/docker/x/cpu.cfs_quota_us": "300000", "cpu,cpuacct/docker/x/cpu.cfs_period_us": "100000"},
            [3.0],
        ),
        ("5:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, []),
        ("", {}, []),
        ("nonsense\n0\n\n", {"cpu.max": "x y z"}, []),
    ],
)  # fmt: skip
def test_quotas_of_all_groups_above_a_process_count(
    tmp_path: Path, membership: str, files: dict[str, str], expected: list[float]
) -> None:
    written(tmp_path / "self", membership)
    for name, text in files.items():
        written(tmp_path / "mounted" / name, text)
    assert list(dict.fromkeys(quotas(tmp_path / "mounted", tmp_path / "self"))) == expected


@pytest.mark.parametrize(
    ("quota", "expected"), [("150000 100000", 1), ("50000 100000", 1), ("200000 100000", 2)]
)
def test_a_quota_gives_whole_cores_and_at_least_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, expected: int
) -> None:
    monkeypatch.setattr(cores, "_CGROUPS", tmp_path)
    monkeypatch.setattr(cores, "_MEMBERSHIP", tmp_path / "self")
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: range(64))
    written(tmp_path / "self", "0::/\n")
    written(tmp_path / "cpu.max", quota)
    assert available_cores() == expected
