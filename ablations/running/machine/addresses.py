"""Addresses of servers and databases: of a file, whatever its name, and as they may be shown, without secrets."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from senet_core.errors import UserError

HIDDEN = "***"
SQLITE = "sqlite:///"
SQLITE_WITH_DRIVER = "sqlite+pysqlite:///"


def sqlite_address(file: Path) -> str:
    """Return the address of an SQLite file; its absolute path may hold characters that mean something in addresses.

    Raises:
        UserError: the installed SQLAlchemy has no address for such a name (2.0, for one with a question mark).
    """
    path = str(file.absolute())
    if not re.search(r"[?%]", path):
        return SQLITE + path
    from sqlalchemy.engine import URL

    # with the driver's name: without it MLflow makes a folder of the path as it is written in the address
    address = URL.create("sqlite+pysqlite", database=path).render_as_string()
    if sqlite_file(address) != Path(path):
        raise UserError(f"no address can be made for {path}: rename the folder that has ? or % in its name")
    return address


def sqlite_file(address: str) -> Path | None:
    """Return the file that an SQLite address names, as SQLAlchemy reads it; None for another database.

    Raises:
        UserError: it is no address of one file, such as one with a query after "?".
    """
    if not address.startswith((SQLITE, SQLITE_WITH_DRIVER)):
        return None
    path = address.partition(":///")[2]
    if "?" in path:
        raise UserError(f"{shown_address(address)!r} has a query; a ? in the name of a file is written %3F")
    if "%" in path:
        from sqlalchemy.engine import make_url

        path = make_url(address).database or ""
    return Path(path)


def shown_address(address: str) -> str:
    """Return an address without what stands before its last "@" and without its query.

    Passwords may hold any character. Where it cannot be told whether an "@" belongs to a password or to a query, only
    the scheme is shown. A file's address (sqlite, file) keeps its "@".
    """
    scheme, mark, rest = address.partition("//" if "//" in address else ":")
    if not mark:
        return address if "@" not in address else HIDDEN
    beginning = f"{scheme}{mark}"
    if not beginning.startswith(("sqlite:", "sqlite+pysqlite:", "file:")) and "@" in rest:
        secret, _, rest = rest.rpartition("@")
        if "?" in secret:
            return f"{beginning}{HIDDEN}"
        beginning += f"{HIDDEN}@"
    path, query, _ = rest.partition("?")
    return f"{beginning}{path}{f'?{HIDDEN}' if query else ''}"


def without_secrets(text: str, address: str) -> str:
    """Return a text, such as a driver's message, without an address's secrets in it."""
    text = text.replace(address, shown_address(address))
    rest = address.partition("//")[2] or address.partition(":")[2]
    user, _, _ = rest.rpartition("@")
    secrets = [
        user.partition(":")[2],
        *(pair.partition("=")[2] for pair in rest.partition("?")[2].split("&")),
    ]
    for secret in sorted({part for known in secrets for part in (known, unquote(known)) if part}, key=len)[
        ::-1
    ]:
        text = text.replace(secret, HIDDEN)
    return text
