"""The errors that callers handle differently; each is a UserError, whose text is one line for a person."""

from ablations.errors import DataError, RecordError, StudyError, ToolMissing
from senet_core.errors import UserError

__all__ = ["DataError", "RecordError", "StudyError", "ToolMissing", "UserError"]
