"""`ablate ui`: open the MLflow UI."""

from __future__ import annotations

from pathlib import Path

import click

from ablations.commands.shared import options


@click.command("ui")
@options.results_dir
@options.tracking_uri
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True)
def command(results_dir: Path, tracking_uri: str | None, port: int) -> int:
    """Open the MLflow UI on 127.0.0.1."""
    from ablations.running.machine.servers import serve
    from ablations.running.mlflow.store import served_store, ui_command, ui_environment

    store = served_store(tracking_uri, results_dir)
    click.echo(f"MLflow UI on http://127.0.0.1:{port}  (Ctrl-C ends it)")
    return serve(ui_command(port), ui_environment(store))
