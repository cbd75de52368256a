"""The identity of the code: what git says of this checkout alone, why it says nothing, and what differs without it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ablations.running.machine.code_version import commit_of, source_digest


def git(folder: Path, *words: str) -> str:
    settings = ("-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", "-C", folder, *settings, *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return repository(tmp_path / "checkout")


def repository(folder: Path) -> Path:
    for name in ("senet_core", "ablations"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f'"""{folder.name}"""\n')
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", folder.name)
    return folder


def test_the_commit_of_a_clean_checkout_and_of_a_changed_one(checkout: Path) -> None:
    commit = git(checkout, "rev-parse", "--short=12", "HEAD")
    assert commit_of(checkout) == {"commit": commit, "dirty": False}
    (checkout / "ablations" / "new.py").touch()
    assert commit_of(checkout) == {"commit": commit, "dirty": True}


@pytest.mark.parametrize("name", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"])
def test_a_repository_that_the_environment_names_is_not_asked(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """As in a hook of git, which sets these for whatever it starts."""
    expected = commit_of(checkout)
    other = repository(tmp_path / "other")
    monkeypatch.setenv(name, str(other / ".git"))
    assert commit_of(checkout) == expected


def test_the_repository_around_an_installed_package_is_not_asked(checkout: Path) -> None:
    installed = checkout / ".venv" / "site-packages"
    installed.mkdir(parents=True)
    assert commit_of(installed) == {
        "commit": "", "dirty": None, "no_commit": "the package is not run from a git checkout",
    }  # fmt: skip


def test_a_git_that_fails_is_said_and_is_no_clean_commit(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / ".git" / "HEAD").write_text("ref: refs/heads/../broken\n")
    found = commit_of(checkout)
    assert (found["commit"], found["dirty"]) == ("", None)
    assert found["no_commit"].startswith("git fails: fatal: ")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit_of(checkout)["no_commit"] == "git is not installed"


def test_git_that_dies_between_two_questions_gives_no_commit(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "bin" / "git"
    script.parent.mkdir()
    script.write_text(
        '#!/bin/sh\ncase "$*" in *status*) echo "error: no index" >&2; exit 128;; esac\necho abc\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(script.parent), prepend=":")
    assert commit_of(checkout) == {"commit": "", "dirty": None, "no_commit": "git fails: error: no index"}


def test_two_changed_checkouts_of_one_commit_are_told_apart(checkout: Path) -> None:
    file = checkout / "senet_core" / "__init__.py"
    digests = {source_digest(checkout)}
    for text in ("a = 1\n", "a = 2\n"):
        file.write_text(text)
        digests.add(source_digest(checkout))
    file.rename(file.with_name("other.py"))
    digests.add(source_digest(checkout))
    assert len(digests) == 4


def test_what_python_and_a_run_leave_behind_is_no_other_code(checkout: Path) -> None:
    before = source_digest(checkout)
    cache = checkout / "ablations" / "__pycache__"
    cache.mkdir()
    (cache / "a.cpython-311.pyc").write_bytes(b"x")
    (checkout / "results").mkdir()
    (checkout / "results" / "trials.jsonl").touch()
    assert source_digest(checkout) == before
