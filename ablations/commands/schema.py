"""`ablate schema`: the JSON schema of study files, for editors."""

from __future__ import annotations

import json

import click


@click.command("schema")
def command() -> None:
    """Print the JSON schema of study files; editors use it to complete and check them."""
    from ablations.planning.schema import study_schema

    click.echo(json.dumps(study_schema(), indent=1))
