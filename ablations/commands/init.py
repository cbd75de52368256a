"""`ablate init`: a study file to begin with."""

from __future__ import annotations

import click


@click.command("init")
@click.argument("name", default="my-study", metavar="[NAME|SCRIPT.py]")
def command(name: str) -> None:
    """Write NAME.yaml, a small study with comments.

    It can be run as it is, and has a comment at each field. No file is replaced.

    `ablate init train.py` writes train.yaml, a study of that script: it is run with --help, and its options (argparse,
    click, Hydra) become the study's command, baseline and axes.
    """
    import shlex
    from pathlib import Path

    from ablations.planning.commands import program
    from ablations.planning.new_study import write_new_study

    if name.endswith(".py"):
        from ablations.experiments.scripts.new_study import study_text
        from ablations.experiments.scripts.options import options_of

        script = Path(name)
        path = write_new_study(str(script.with_suffix(".yaml")), study_text(script, options_of(script)))
    else:
        path = write_new_study(name)
    click.echo(f"{path} is written; next: {program()} plan {shlex.quote(str(path.absolute()))}")
