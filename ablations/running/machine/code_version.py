"""The identity of the running code: its commit where git knows one, and a digest of its sources in any case."""

from __future__ import annotations

import hashlib
import os
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

from ablations.running.machine.packages import package_version

CODE = ("senet_core", "ablations")
GIT_SECONDS = 30
_NOT_SOURCES = ("__pycache__", ".pyc", ".pyo")


@lru_cache(maxsize=1)
def code_version() -> dict[str, Any]:
    """Return what identifies the running code, as the record keeps it.

    `source` and `senet-ablations` (the version) are always there. `commit` is empty where none is known, and then
    `no_commit` says why and `dirty` is None; else `dirty` is whether files differ from the commit.
    """
    root = Path(__file__).resolve().parents[3]
    return {
        **commit_of(root),
        "source": source_digest(root),
        "senet-ablations": package_version("senet-ablations"),
    }


def commit_of(root: Path) -> dict[str, Any]:
    """Return commit and dirtiness of a checkout with the packages in its top folder, or why they are not known."""
    if not (root / ".git").exists():  # installed, perhaps within the checkout of another project
        return _unknown("the package is not run from a git checkout")
    try:
        commit = git(root, "rev-parse", "--short=12", "HEAD")
        return {"commit": commit, "dirty": bool(git(root, "status", "--porcelain", "--", *CODE))}
    except FileNotFoundError:
        return _unknown("git is not installed")
    except subprocess.TimeoutExpired:
        return _unknown(f"git did not answer in {GIT_SECONDS} s")
    except subprocess.CalledProcessError as error:
        lines = str(error.stderr).strip().splitlines() or [f"status {error.returncode}"]
        return _unknown(f"git fails: {lines[0]}")
    except OSError as error:
        return _unknown(f"git does not run: {error.strerror or error}")


def source_digest(root: Path) -> str:
    """Return 16 digits of the sha256 over names and contents of the packages' files: what differs, is other code."""
    state = hashlib.sha256()
    for path in sorted(path for package in CODE for path in (root / package).rglob("*")):
        if path.is_file() and not any(path.name.endswith(end) or end in path.parts for end in _NOT_SOURCES):
            content = path.read_bytes()
            state.update(os.fsencode(path.relative_to(root).as_posix()) + f"\0{len(content)}\0".encode())
            state.update(content)
    return state.hexdigest()[:16]


def _unknown(why: str) -> dict[str, Any]:
    return {"commit": "", "dirty": None, "no_commit": why}


def git(folder: Path, *arguments: str) -> str:
    """Ask git about one folder, whatever repository, configuration or language the caller's environment names."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(folder), "-c", "core.fsmonitor=false", *arguments]
    done = subprocess.run(
        command,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=GIT_SECONDS,
        check=True,
        env={**environment, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"},
    )
    return done.stdout.strip()
