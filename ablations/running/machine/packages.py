"""The versions of installed packages."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def package_version(name: str) -> str:
    """Return an installed package's version; empty where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
