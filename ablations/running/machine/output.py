"""A process's output: whatever the terminal can show, and without an end of the work when it cannot be written."""

from __future__ import annotations

import codecs
import errno
import io
import os
import select
import stat
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_ASCII = dict(
    zip("±−–—×…·≤≥→█░", ["+-", "-", "-", "-", "x", "...", "|", "<=", ">=", "->", "#", "."], strict=True)
)

GONE = (errno.EPIPE, errno.EIO)
"""Errors of writing where nobody reads any more: a pipe's, and a terminal's that was closed."""


def make_patient() -> None:
    """Let standard output and error show any text in any encoding, and go on where they cannot be written.

    A sweep that is piped into `head`, whose terminal is closed or whose log fills the disk trains to its end. Output
    that was closed before (`>&-`) goes nowhere.
    """
    codecs.register_error("nearest", _nearest)
    _open_closed()
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is getattr(sys, f"__{name}__") and type(stream) is io.TextIOWrapper:
            stream.flush()
            setattr(sys, name, _Patient(stream))


def lost_output() -> OSError | None:
    """Return why standard output was not written; None where it was, or where its reader has gone."""
    stream = sys.stdout
    if not isinstance(stream, _Patient):
        return None
    stream.flush()
    return stream.file.lost


def _open_closed() -> None:
    """Open on nothing what the caller has closed.

    Else the next file that is opened, such as the record, takes the number, and gets what libraries print.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            file = open(os.devnull, mode)  # noqa: SIM115  (for as long as the process lives)
            os.set_inheritable(file.fileno(), True)
            setattr(sys, name, file)


class _Patient(io.TextIOWrapper):
    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._replaced = stream  # a stream that is collected closes its file
        self.file = _PatientFile(stream.fileno())
        super().__init__(
            io.BufferedWriter(self.file),
            encoding=stream.encoding,
            errors="nearest",
            line_buffering=stream.line_buffering,
            write_through=stream.write_through,
        )


class _PatientFile(io.RawIOBase):
    """The file behind a stream: what cannot be written goes nowhere, and so does what follows."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._on_disk = stat.S_ISREG(os.fstat(number).st_mode)
        self.lost: OSError | None = None

    def write(self, content: ReadableBuffer, /) -> int:
        try:
            return os.write(self._number, content)
        except BlockingIOError:  # another program has set the terminal so, and it is full for the moment
            select.select([], [self._number], [])
        except OSError as error:
            if error.errno not in GONE or self._on_disk:
                self.lost = error
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._number)
            os.close(nowhere)
        return self.write(content)

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)

    def writable(self) -> bool:
        return True


def _nearest(error: UnicodeError) -> tuple[str, int]:
    """Encode a text in characters of ASCII where the terminal's encoding lacks its own."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    shown = "".join(_ASCII.get(mark) or mark.encode("ascii", "backslashreplace").decode() for mark in text)
    return shown, error.end
