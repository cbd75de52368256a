"""`ablate init`: a study file to begin with."""

from __future__ import annotations

import click


@click.command("init")
@click.argument("name", default="my-study")
def command(name: str) -> None:
    """Write NAME.yaml, a small study with a comment at each field; it can be run as it is. No file is replaced."""
    import shlex

    from ablations.planning.commands import program
    from ablations.planning.new_study import write_new_study

    path = write_new_study(name)
    click.echo(f"{path} is written; next: {program()} plan {shlex.quote(str(path.absolute()))}")
