"""A study file to begin with: valid as it is, small enough to run at once, with a comment at each field."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ablations.errors import StudyError
from ablations.planning.study import NAME_PATTERN
from ablations.planning.study_file import shipped_studies

TEMPLATE = """\
# A study: what is compared with what, and how it is trained.
# Every field, with its range and default: docs/study-file.md, or `ablate schema --format markdown`.
title: Squeeze and reduction
question: Does the squeeze or the reduction ratio matter here?

baseline:                        # every row is compared with this one
  backbone: resnet8              # `ablate list backbone`; resnet20 is the usual one for CIFAR
  variant: {reduction: 8}        # the fields that differ from the paper's SE block; `plain` for none
  data: digits                   # cifar10, cifar100, mnist, or
  # data: {name: image-folder, path: images, size: 64}   # train/CLASS/ and test/CLASS/ in that folder

recipe:                          # how every row is trained
  base: cifar-quick              # or cifar-paper, imagenet-ablation, imagenet-plateau
  epochs: 6                      # what follows `base` changes it
  batch_size: 64
  lr: 0.1
  pad: 1
  flip: false                    # digits have no mirror images

axes:                            # what is varied: a list of values for each
  squeeze: [avg, max]            # `ablate list squeeze`; with a block of yours: --plugin FILE
  reduction: [2, 8]
  # recipe.lr: [0.05, 0.1]

design: one-factor               # each axis alone around the baseline; grid: all combinations; and others
include_plain: true              # the network without a block is a row, too
seeds: 5                         # each row is trained so many times, with seeds 0 to 4
margin: 0.5                      # points of error: smaller differences count as equivalent
# labels: {squeeze=max: Ours}    # the name of a row in tables, plots and reports
"""


def write_new_study(name: str, text: str = TEMPLATE) -> Path:
    """Write the file of a new study; returns its path.

    Args:
        name: the study's name, or the path of its file, which ends with .yaml then.
        text: of the file.

    Raises:
        StudyError: it is no name of a study, a shipped study has it, or the file exists or cannot be written.
    """
    path = check_new_study(name)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise _exists(path) from None
    except (OSError, ValueError) as error:
        raise StudyError(
            f"cannot write {str(path)!r}: {getattr(error, 'strerror', None) or error}"
        ) from error
    return path


def check_new_study(name: str) -> Path:
    """Return the path of a new study's file, as `write_new_study` takes it.

    Raises:
        StudyError: it is no name of a study, a shipped study has it, or the file exists.
    """
    path = Path(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    if re.fullmatch(NAME_PATTERN, path.stem) is None:
        raise StudyError(
            "a study's name must begin with a letter or digit, and go on with these, '.', '_' or '-',"
            f" got {path.stem!r}"
        )
    if path.stem in shipped_studies():
        raise StudyError(
            f"a shipped study is called {path.stem!r}, and both would share a record; take another name"
        )
    if os.path.lexists(path):
        raise _exists(path)
    return path


def _exists(path: Path) -> StudyError:
    return StudyError(f"{str(path)!r} exists already, and is left as it is; take another name")
