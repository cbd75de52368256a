"""Settings in the names of folders and runs: "{lr}-{depth}_s{seed}" finds lr, depth and seed in "0.1-3_s0"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ablations.analysis.external.asked import Asked, compose
from ablations.analysis.external.runs import Recorded, RecordedRun, listed
from senet_core.errors import UserError

COMMON = (
    "{variant}/seed{seed}",
    "{variant}/seed_{seed}",
    "{variant}/seed-{seed}",
    "{variant}/seed={seed}",
    "{variant}_seed{seed}",
    "{variant}-seed{seed}",
)
"""What is tried where no pattern is given; one that fits every name is taken, and said."""

_PART = re.compile(r"\{([^{}]*)\}|(\*)")
_NAME = re.compile(r"[^\W\d][\w.\-]*")
_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_MOST_OFTEN = (
    20  # times that what separates two parts may come in a name: each part takes its turn at each of them
)


@dataclass(frozen=True)
class NamePattern:
    """How names are made up; `parts` are the names in braces, in their order."""

    text: str
    parts: tuple[str, ...]

    @property
    def depth(self) -> int:
        """The number of folders."""
        return self.text.count("/") + 1

    def match(self, name: str) -> dict[str, str] | None:
        """Return what stands for each part in a name; None where it is made up otherwise.

        A seed is a whole number. The other parts are numbers where all of them can be, and else anything but "/".

        Raises:
            UserError: the name can be split in two ways.
        """
        between = [text for text in _PART.split(self.text)[::3] if text not in ("", "/")]
        if any(name.count(text) > _MOST_OFTEN for text in between):
            return None
        found = re.fullmatch(self._expression(_NUMBER), name)
        if found is None:
            found = re.fullmatch(self._expression("[^/]+"), name)
            other = re.fullmatch(self._expression("[^/]+?"), name)
            if found is None or other is None:
                return None
            if found.groups() != other.groups():
                ways = " or ".join(
                    ", ".join(f"{p}={v}" for p, v in zip(self.parts, way.groups(), strict=True))
                    for way in (other, found)
                )
                raise UserError(f"`pattern` {self.text!r} splits {name!r} in two ways: {ways}")
        return dict(zip(self.parts, found.groups(), strict=True))

    def _expression(self, value: str) -> str:
        made, at = "", 0
        for found in _PART.finditer(self.text):
            part = "(?:[^/]*)" if found[2] else f"({'[0-9]+' if found[1] == 'seed' else value})"
            if found[1] == "variant":
                part = f"({'[^/]+?' if value.endswith('?') else '[^/]+'})"
            made += re.escape(self.text[at : found.start()]) + part
            at = found.end()
        return made + re.escape(self.text[at:])


def read_pattern(text: str) -> NamePattern:
    """Read a pattern.

    Raises:
        UserError: it has no part in braces, one twice, two that touch, or a brace too many.
    """
    text = compose(text).removeprefix("./").strip("/")
    example = "such as {variant}/seed{seed}"
    found = list(_PART.finditer(text))
    parts = [part[1] for part in found if not part[2]]
    if re.search(r"[{}]", _PART.sub("", text)):
        raise UserError(
            f"`pattern` {text!r} has a brace that is not closed or not opened; accepted are patterns {example}"
        )
    if not parts:
        raise UserError(f"`pattern` {text!r} has no part in braces; accepted are patterns {example}")
    for part in parts:
        if not _NAME.fullmatch(part):
            raise UserError(
                f"`pattern` {text!r}: {part!r} is no name of a part; accepted are patterns {example}"
            )
        if parts.count(part) > 1:
            raise UserError(f"`pattern` {text!r} has the part {part!r} more than once")
    for before, after in pairwise(found):
        if before.end() == after.start():
            raise UserError(f"`pattern` {text!r}: nothing stands between {before[0]} and {after[0]}")
    return NamePattern(text, tuple(parts))


def pattern_for(
    names: Sequence[str], asked: Asked, what: str, suffix: str = ""
) -> tuple[NamePattern | None, tuple[str, ...]]:
    """Return the pattern that is asked for, or the common one that fits every name; None where none does.

    Args:
        names: of folders or files.
        asked: whose `pattern` counts.
        what: the names are of, for the note: "folders".
        suffix: what names have behind the common patterns: "/metrics.json".
    """
    if asked.pattern is not None:
        return read_pattern(asked.pattern), ()
    for text in COMMON:
        pattern = NamePattern(f"{text}{suffix}", ("variant", "seed"))
        if names and all(pattern.match(name) for name in names):
            return pattern, (f"The names of {what} are read as {text}; `pattern=TEXT` says another way.",)
    return None, ()


def with_names_of_runs(recorded: Recorded, asked: Asked) -> Recorded:
    """Return runs with what the pattern finds in their names, which is a setting of its own, `run_name`."""
    if asked.pattern is None:
        return recorded
    pattern = read_pattern(asked.pattern)
    runs: list[RecordedRun] = []
    others: list[str] = []
    for run in recorded.runs:
        found = pattern.match(run.settings.get("run_name", run.name))
        if found is None:
            others.append(run.name)
        else:
            runs.append(replace(run, settings={**run.settings, **found}))
    if not runs:
        raise no_match(recorded.where, pattern, others)
    return replace(recorded, runs=runs, notes=(*recorded.notes, *left_out(pattern, others, "run")))


def no_match(where: str, pattern: NamePattern, names: Iterable[str]) -> UserError:
    """Return the error for a pattern that no name follows."""
    return UserError(f"{where}: no name follows the pattern {pattern.text!r}; found: {listed(names)}")


def left_out(pattern: NamePattern, names: Sequence[str], kind: str) -> tuple[str, ...]:
    """Return the note of names that do not follow the pattern."""
    if not names:
        return ()
    have = f"{kind}s have names that do" if len(names) > 1 else f"{kind} has a name that does"
    are = "are" if len(names) > 1 else "is"
    return (f"{len(names)} {have} not follow {pattern.text} and {are} left out: {listed(names)}.",)
