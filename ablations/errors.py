"""Errors by what a caller does about them. Their texts are one line for a person, and name the argument."""

from senet_core.errors import UserError


class StudyError(UserError):
    """A study, or one of its fields, is wrong: correct it."""


class RecordError(UserError):
    """What is on the disk of a study cannot be read, or is of something else: mend it, or take another folder."""


class DataError(UserError):
    """A data set is missing, damaged, or another one than was asked for: prepare it."""


class ToolMissing(UserError):
    """A package or program is not installed: install it."""
