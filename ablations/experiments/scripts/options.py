"""The options of a script, read from what `--help` prints: by argparse, click and what is like them, or Hydra."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ablations.errors import StudyError
from ablations.experiments.scripts.ask import MARK
from senet_core.errors import one_line

HELP_SECONDS = 120
MOST_CHARACTERS = 1_000_000

_OPTION = re.compile(
    r"^\s{1,12}(?:-\w(?:[ =]\S+)?,\s+)?(?P<flag>--[A-Za-z][\w-]*)(?P<rest>[^\n]*)$",
)
_DEFAULT = re.compile(
    r"[\[(]\s*default(?:s to)?\s*[:=]?\s*(?P<value>[^\])]*?)\s*(?:;[^\])]*)?[\])]", re.IGNORECASE
)
_CHOICES = re.compile(r"^\s*(?:\{(?P<comma>[^}]*)\}|\[(?P<bar>[^\]]*\|[^\]]*)\])")
_METAVAR = re.compile(r"^[ =](?:[A-Z][A-Z0-9_.]*|<[^>]*>|INTEGER|FLOAT|TEXT|PATH|[a-z]+(?=\s{2,}|$))")
_HYDRA = re.compile(r"Powered by Hydra|Override anything in the config", re.IGNORECASE)


@dataclass(frozen=True)
class Option:
    """One option of a script.

    Attributes:
        name: as a factor is called: "batch_size" for "--batch-size", "optimizer.lr" for Hydra's.
        flag: as it is typed: "--batch-size"; "" for Hydra's.
        takes_value: False for a flag that is there or not.
        default: None where the help does not tell it.
        choices: that the help lists; empty for none.
        words: what it is for.
    """

    name: str
    flag: str
    takes_value: bool
    default: Any
    choices: tuple[str, ...]
    words: str

    @property
    def varies(self) -> bool:
        """Whether it has a value that could be another one: a known default, and no path."""
        return self.takes_value and self.default is not None and not isinstance(self.default, (list, dict))


def options_of(script: Path) -> tuple[Option, ...]:
    """Return the options of a Python script, which is run with `--help`.

    Raises:
        StudyError: it cannot be run, or says nothing that is understood.
    """
    text = _help(script)
    told = next((line for line in text.splitlines() if line.startswith(MARK)), None)
    if told is not None:
        found = tuple(map(_of_parser, json.loads(told.removeprefix(MARK))))
    else:
        found = tuple(_hydra(text) if _HYDRA.search(text) else _listed(text))
    if not found:
        raise StudyError(
            f"{script} --help lists no options of the form --NAME, and says nothing of Hydra; it printed: "
            f"{' '.join(text.split())[:200] or 'nothing'}"
        )
    return found


def _help(script: Path) -> str:
    if not script.is_file():
        raise StudyError(f"there is no script {str(script)!r}")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ablations.experiments.scripts.ask", script.name],
            cwd=script.parent,
            env={**os.environ, "COLUMNS": "200", "PYTHONPATH": _with_this_package()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=HELP_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise StudyError(f"{script} --help did not end within {HELP_SECONDS} s") from None
    except OSError as error:
        raise StudyError(f"{script} --help cannot be run: {one_line(error)}") from error
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "it printed nothing").splitlines()[-1]
        raise StudyError(f"{script} --help ended with status {done.returncode}: {last[:300]}")
    return done.stdout[:MOST_CHARACTERS]


def _with_this_package() -> str:
    root = str(Path(__file__).parents[3])
    return os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))


def _of_parser(told: Mapping[str, Any]) -> Option:
    """Return an option as its parser knows it."""
    flag, default = told["flags"][0], told["default"]
    words = re.sub(r"%\(default\)s", "", told["words"])
    return Option(
        flag.removeprefix("--").replace("-", "_"),
        flag,
        told["takes_value"],
        bool(default) if not told["takes_value"] else default,
        tuple(told["choices"]),
        _words(words),
    )


def _listed(text: str) -> Iterator[Option]:
    """Yield the options that argparse or click lists."""
    lines, seen = text.splitlines(), set()
    for number, line in enumerate(lines):
        match = _OPTION.match(line)
        if match is None or match["flag"] in ("--help", "--version") or match["flag"] in seen:
            continue
        seen.add(match["flag"])
        indent = len(line) - len(line.lstrip())
        more = []
        for after in lines[number + 1 :]:
            if not after.strip() or len(after) - len(after.lstrip()) <= indent + 2 or _OPTION.match(after):
                break
            more.append(after.strip())
        yield _option(match["flag"], match["rest"], " ".join(more))


def _option(flag: str, rest: str, more: str) -> Option:
    name = flag.removeprefix("--").replace("-", "_")
    choices: tuple[str, ...] = ()
    kind = rest.lstrip(" =") if rest[:1] in (" ", "=") else rest
    listed = _CHOICES.match(rest) or _CHOICES.match(kind)
    if listed is not None:
        choices = tuple(part.strip() for part in re.split(r"[,|]", listed["comma"] or listed["bar"]))
    takes_value = listed is not None or _METAVAR.match(rest) is not None
    words = " ".join(f"{rest} {more}".split())
    default = _DEFAULT.search(words)
    value = None if default is None else _value(default["value"])
    if value is None and not takes_value:
        value = False
    return Option(name, flag, takes_value, value, choices, _words(words))


def _words(text: str) -> str:
    """Return what an option is for, without its metavariable and its default."""
    text = _DEFAULT.sub("", text)
    text = re.sub(r"^(?:\{[^}]*\}|\[[^\]]*\]|[A-Z][A-Z0-9_.]*(?=\s)|<[^>]*>)\s*", "", text.strip())
    return " ".join(text.split())[:100]


def _value(text: str) -> Any:
    """Return a default as Python would read it; None for none."""
    text = text.strip().strip("'\"")
    if text.lower() in ("none", "null", ""):
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if re.fullmatch(r"[+-]?[0-9]+", text):
        return int(text)
    return float(text) if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text) else text


def _hydra(text: str) -> Iterator[Option]:
    """Yield the settings of a Hydra configuration, as its help shows them in YAML."""
    below = re.split(r"^== Config ==.*$|^Override anything in the config.*$", text, flags=re.MULTILINE)[-1]
    lines = [line for line in below.splitlines() if re.match(r"\s*[\w-]+:(\s|$)|\s+-\s", line)]
    try:
        content = yaml.safe_load("\n".join(lines))
    except yaml.YAMLError:
        return
    yield from _settings(content, "")


def _settings(content: Any, before: str) -> Iterator[Option]:
    if not isinstance(content, dict):
        return
    for key, value in content.items():
        name = f"{before}{key}"
        if isinstance(value, dict):
            yield from _settings(value, f"{name}.")
        elif value is not None and not isinstance(value, list):
            yield Option(name, "", True, value, (), "")
