"""For programs: a JSON document of what a report says, and a status by whether verdicts are as expected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ablations.analysis.programs.document import Document
    from ablations.analysis.programs.expectations import Expectation

NOT_AS_EXPECTED = 3
"""The exit status where an expected verdict is not shown."""


def _expectations(
    context: click.Context, parameter: click.Parameter, values: Sequence[str]
) -> tuple[Expectation, ...]:
    if not values:
        return ()
    from ablations.analysis.programs.expectations import parse_expectation

    return tuple(map(parse_expectation, values))


expect = click.option(
    "--expect",
    "expected",
    multiple=True,
    metavar='"ROW: VERDICT"',
    callback=_expectations,
    help="End with status 3 unless the row is shown to be that: better, worse, equivalent, undetermined, not worse,"
    " better or equivalent ...; may be repeated.",
)


def as_json(help_text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option `--json`."""
    return click.option("--json", "as_json", is_flag=True, help=help_text)


def print_document(document: Document) -> None:
    """Print a document as JSON, alone on standard output."""
    import json

    click.echo(json.dumps(document.to_dict(), indent=1, allow_nan=False))


def judge(expected: Sequence[Expectation], document: Document) -> int:
    """Say on standard error which expectations do not hold.

    Returns:
        The exit status: 0, or NOT_AS_EXPECTED.
    """
    from ablations.analysis.programs.expectations import unfulfilled
    from senet_core.errors import printable

    lines = list(unfulfilled(expected, document))
    for line in lines:
        click.echo(printable(line), err=True)
    return NOT_AS_EXPECTED if lines else 0
