"""Addresses of servers and databases as they may be shown: without the secrets that they hold."""

from __future__ import annotations

from urllib.parse import unquote

HIDDEN = "***"


def shown_address(address: str) -> str:
    """Return an address without what stands before its last "@" and without its query.

    Passwords may hold any character. Where it cannot be told whether an "@" belongs to a password or to a query, only
    the scheme is shown. A file's address (sqlite, file) keeps its "@".
    """
    scheme, mark, rest = address.partition("//" if "//" in address else ":")
    if not mark:
        return address if "@" not in address else HIDDEN
    beginning = f"{scheme}{mark}"
    if not beginning.startswith(("sqlite:", "file:")) and "@" in rest:
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
