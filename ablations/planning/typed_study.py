"""A study as it is typed: its name or file, and what the command line changes in it."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ablations.planning.networks.data_path import from_anywhere, moved
from ablations.planning.networks.recipes.weights import from_anywhere as weights_from_anywhere

if TYPE_CHECKING:
    from ablations.planning.study import Study

_WORDS_ALONE = ("name", "title", "question", "labels", "folder", "plugins", "keep_weights", "tests")
"""Fields that change neither trials nor comparisons; what a plug-in's code changes is in the keys of trials."""


@dataclass(frozen=True)
class TypedStudy:
    """The words with which a person asks for a study.

    Attributes:
        study: a shipped study's name, or the path of a file.
        overrides: FIELD=VALUE texts.
        seeds: None where the study's own are taken.
        plugins: plug-in files.
    """

    study: str
    overrides: tuple[str, ...] = ()
    seeds: int | None = None
    plugins: tuple[str, ...] = ()

    @classmethod
    def from_words(cls, words: Sequence[str]) -> TypedStudy:
        """Read them as `words` returns them.

        Raises:
            ValueError: they are none of ours.
        """
        if not words or not all(isinstance(word, str) for word in words):
            raise ValueError(f"not the words of a study: {words!r}")
        given: dict[str, list[str]] = {"--set": [], "--plugin": [], "--seeds": []}
        for option, value in zip(words[1::2], words[2::2], strict=True):
            if option not in given:
                raise ValueError(f"not an option of a study: {option!r}")
            given[option].append(value)
        seeds = int(given["--seeds"][-1]) if given["--seeds"] else None
        return cls(words[0], tuple(given["--set"]), seeds, tuple(given["--plugin"]))

    @property
    def changes(self) -> tuple[str, ...]:
        """The words after the study."""
        options = [word for override in self.overrides for word in ("--set", override)]
        options += [word for file in self.plugins for word in ("--plugin", file)]
        return (*options, *(("--seeds", str(self.seeds)) if self.seeds is not None else ()))

    @property
    def words(self) -> tuple[str, ...]:
        """All of them, one by one."""
        return (self.study, *self.changes)

    def __str__(self) -> str:
        return shlex.join(self.words)

    @property
    def name(self) -> str:
        """The study's name."""
        return os.path.splitext(os.path.basename(self.study))[0] if self.is_file else self.study

    @property
    def is_file(self) -> bool:
        """Whether the study is a file of the user's, and no shipped one."""
        return self.study.endswith((".yaml", ".yml"))

    def from_anywhere(self) -> TypedStudy:
        """Return the same with absolute paths, to be typed in any folder."""
        study = os.path.abspath(self.study) if self.is_file else self.study
        plugins = tuple(os.path.abspath(os.path.expanduser(file)) for file in self.plugins)
        overrides = tuple(
            text for override in self.overrides for text in from_anywhere(weights_from_anywhere(override))
        )
        return replace(self, study=study, overrides=overrides, plugins=plugins)

    def moved_to(self, study: str) -> TypedStudy:
        """Return the same with images that were moved together with the study's file, which left its place."""
        before, now = (os.path.dirname(os.path.abspath(file)) for file in (self.study, study))
        if not self.is_file or os.path.exists(self.study):
            return self
        return replace(self, overrides=tuple(moved(override, before, now) for override in self.overrides))


def typed(study: Study) -> TypedStudy:
    """Return how a study was typed; its name alone where it came from somewhere else."""
    return TypedStudy.from_words(study.typed) if study.typed else TypedStudy(study.name)


def asked_fields(study: Study) -> dict[str, Any]:
    """Return the fields of a study in which trials or comparisons may differ, as a study file says them."""
    return {name: value for name, value in study.fields().items() if name not in _WORDS_ALONE}


def plan_digest(study: Study) -> str:
    """Return 16 hexadecimal digits that are those of another study where trials or comparisons may differ."""
    text = json.dumps(asked_fields(study), sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def plan_text(study: Study) -> str:
    """Return which plan of a study this is, in a few words: "--seeds 3 [0a1b2c3d]"."""
    return f"{shlex.join(typed(study).changes) or 'as written'} [{plan_digest(study)[:8]}]"
