"""Errors by what a caller does about them. Their texts are one line for a person.

They name an argument in backticks, as in `fresh=True`; the command line says its flag (commands/shared/flags.py).
"""

from senet_core.errors import UserError


class StudyError(UserError):
    """A study, or one of its fields, is wrong: correct it."""


class RecordError(UserError):
    """What is on the disk of a study cannot be read, is in use, or does not fit: mend it, or take another."""


class DataError(UserError):
    """A data set is missing, damaged, or another one than was asked for: prepare it."""


class ToolMissing(UserError):
    """A package or program is not installed: install it."""
