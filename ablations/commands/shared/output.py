"""The output of a command: whatever the terminal can show, and without an end of the work when nobody reads on."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys

_ASCII = dict(
    zip("±−–—×…·≤≥→█░", ["+-", "-", "-", "-", "x", "...", "|", "<=", ">=", "->", "#", "."], strict=True)
)


GONE = (errno.EPIPE, errno.EIO)
"""Errors of writing where nobody reads any more: a pipe's, and a terminal's that was closed."""


def make_patient() -> None:
    """Let standard output and error show any text in any encoding, and go on when their reader or terminal has gone.

    A sweep that is piped into `head` trains to its end and has the status that it would have had.
    """
    codecs.register_error("nearest", _nearest)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is getattr(sys, f"__{name}__") and type(stream) is io.TextIOWrapper:
            stream.flush()
            setattr(sys, name, _Patient(stream))


class _Patient(io.TextIOWrapper):
    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._replaced = stream  # a stream that is collected closes its file
        super().__init__(
            stream.buffer, encoding=stream.encoding, errors="nearest", line_buffering=stream.line_buffering
        )

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self._leave(error)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self._leave(error)

    def _leave(self, error: OSError) -> None:
        if error.errno not in GONE:
            raise error
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())  # what is still in the buffers goes there, too
        os.close(nowhere)


def _nearest(error: UnicodeError) -> tuple[str, int]:
    """Encode a text in characters of ASCII where the terminal's encoding lacks its own."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    shown = "".join(_ASCII.get(mark) or mark.encode("ascii", "backslashreplace").decode() for mark in text)
    return shown, error.end
