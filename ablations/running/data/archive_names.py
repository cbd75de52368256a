"""The names in zip archives, as Windows, macOS and Linux write them.

Source: PKWARE's APPNOTE 6.3.10: bit 11 says that a name is UTF-8, the extra field 0x7075 has it in UTF-8 beside another
coding, and everything else would be cp437. Programs write what their system has: UTF-8 on macOS and Linux, Shift-JIS on
a Japanese Windows, and backslashes for slashes.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

_IS_UTF8 = 0x800
_UNICODE_PATH = 0x7075
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_JAPANESE = re.compile(r"[\u3040-\u30ff\u3005\u3007\u4e00-\u9fff\uff01-\uff9f]+")
_IN_A_WORD = re.compile(r"[A-Za-z][\u4e00-\u9fff][A-Za-z]")
"""A sign between two letters: of cp437's Größe, Shift-JIS makes such a word."""


@dataclass(frozen=True)
class ZipNames:
    """The names of a zip archive's members, with slashes.

    Attributes:
        names: in the order of the members.
        guessed: the coding that was assumed for names of which the archive does not say it; empty where it does.
    """

    names: tuple[str, ...]
    guessed: str


def zip_names(members: Sequence[zipfile.ZipInfo]) -> ZipNames:
    """Return the names of an archive's members, in one coding for all that do not say theirs."""
    said = [_said(member) for member in members]
    unsaid = [
        member.orig_filename.encode("cp437")
        for member, name in zip(members, said, strict=True)
        if name is None
    ]
    coding = next(coding for coding in ("utf-8", "cp932", "cp437") if _fits(unsaid, coding))
    names = [
        member.orig_filename.encode("cp437").decode(coding) if name is None else name
        for member, name in zip(members, said, strict=True)
    ]
    guessed = {"utf-8": "", "cp932": "Shift-JIS", "cp437": "cp437"}[coding]
    return ZipNames(tuple(name.split("\0")[0].replace("\\", "/") for name in names), guessed)


def _said(member: zipfile.ZipInfo) -> str | None:
    """Return a name of which the archive says the coding, or which is the same in all of them."""
    name = member.orig_filename
    if member.flag_bits & _IS_UTF8 or not _NOT_ASCII.search(name):
        return name
    return _unicode_path(member.extra, name.encode("cp437"))


def _unicode_path(extra: bytes, name: bytes) -> str | None:
    """Return the name in the extra field for it, if it was written for this name."""
    while len(extra) >= 4:
        kind, length = int.from_bytes(extra[:2], "little"), int.from_bytes(extra[2:4], "little")
        content, extra = extra[4 : 4 + length], extra[4 + length :]
        written_for = int.from_bytes(content[1:5], "little")
        if kind == _UNICODE_PATH and content[:1] == b"\x01" and written_for == zlib.crc32(name):
            return content[5:].decode("utf-8", "replace")
    return None


def _fits(names: Sequence[bytes], coding: str) -> bool:
    try:
        texts = [name.decode(coding) for name in names]
    except UnicodeDecodeError:
        return False
    if coding != "cp932":
        return True
    return all(
        not _NOT_ASCII.search(_JAPANESE.sub("", text)) and not _IN_A_WORD.search(text) for text in texts
    )
