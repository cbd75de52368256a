"""`ablate schema`: the JSON schema of study files, for editors."""

from __future__ import annotations

import json

import click


@click.command("schema")
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "markdown"]),
    default="json",
    show_default=True,
    help="A JSON schema, or docs/study-file.md: every field in words.",
)
def command(form: str) -> None:
    """Print what a study file may say: a JSON schema, by which editors complete and check it, or a page to read."""
    from ablations.planning.reference import study_reference
    from ablations.planning.schema import study_schema

    if form == "markdown":
        click.echo(study_reference(), nl=False)
        return
    click.echo(json.dumps(study_schema(), indent=1))
