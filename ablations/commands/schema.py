"""`ablate schema`: the JSON schemas of study files, for editors, and of what is printed for programs."""

from __future__ import annotations

import json

import click

WHAT = ("study", "report")


def _what(context: click.Context, parameter: click.Parameter, value: str) -> str:
    from senet_core.errors import unknown

    if value not in WHAT:
        raise unknown("schema", value, WHAT)
    return value


@click.command("schema")
@click.argument("what", default="study", metavar="[study|report]", callback=_what)
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "markdown"]),
    default="json",
    show_default=True,
    help="A JSON schema, or docs/study-file.md: every field in words.",
)
def command(what: str, form: str) -> None:
    """Print what a study file may say.

    As a JSON schema, by which editors complete and check it, or as a page to read.

    `ablate schema report` prints the JSON schema of what `report --json` and `analyse --json` print.
    """
    from ablations.analysis.programs.document import document_schema
    from ablations.planning.networks.reference import study_reference
    from ablations.planning.schema import any_study_schema
    from senet_core.errors import UserError

    if form == "markdown":
        if what == "report":
            raise UserError(
                "--format markdown is of study files; docs/for-programs.md describes the report's document"
            )
        click.echo(study_reference(), nl=False)
        return
    click.echo(json.dumps(document_schema() if what == "report" else any_study_schema(), indent=1))
