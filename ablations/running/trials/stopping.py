"""How a trial ends before its end."""

from __future__ import annotations


class Stopped(Exception):
    """A trial that was asked to stop, and has saved its state; or another sweep has it now."""


class TimedOut(Exception):
    """The trial took longer than it may."""
