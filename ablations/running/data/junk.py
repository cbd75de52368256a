"""What systems and programs leave in folders of images: no class and no image, passed over without a word."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate

_JUNK = (
    ".ds_store", "._*", ".appledouble", ".apdisk", ".spotlight-v100", ".trashes", ".fseventsd",
    ".temporaryitems", ".documentrevisions-v100", ".localized", "__macosx", "icon\r",  # macOS
    "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "$recycle.bin", "system volume information",
    "picasa.ini", ".picasa.ini",  # Windows
    "@eadir", "#recycle", "#snapshot", "@__thumb", ".@__thumb", "@recycle",  # Synology and QNAP
    ".directory", ".nfs*", ".fuse_hidden*", ".trash", ".trash-*", ".thumbnails",  # Linux
    ".ipynb_checkpoints", "__pycache__", ".git", ".gitignore", ".gitkeep", ".gitattributes", ".keep", ".svn", ".dvc",
    ".dvcignore", ".idea", ".vscode", ".cache",  # programs
)  # fmt: skip


_PATTERN = re.compile("|".join(map(translate, _JUNK)))  # a data set may have millions of names
_OF_A_DISK = "lost+found"  # only root may look into it


def is_junk(name: str) -> bool:
    """Return whether a file or folder of this name, without its folders, is what a system or a program leaves."""
    return _PATTERN.match(name.lower()) is not None


def without_junk(names: Iterable[str]) -> list[str]:
    """Return the names, with their folders, in which nothing is junk or hidden."""
    return [name for name in names if not is_unseen(name)]


def is_unseen(name: str) -> bool:
    """Return whether a name, with its folders, is junk or hidden."""
    return any(part.startswith(".") or part == _OF_A_DISK or is_junk(part) for part in name.split("/"))


def hidden(names: Iterable[str]) -> list[str]:
    """Return the files and folders that are hidden, and no junk: somebody may miss them."""
    found: dict[str, None] = {}
    for name in names:
        parts = name.split("/")
        first = next((place for place, part in enumerate(parts) if is_unseen(part)), None)
        if first is not None and not is_junk(parts[first]):
            found["/".join(parts[: first + 1])] = None
    return list(found)
