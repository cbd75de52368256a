"""`ablate dashboard`: open optuna-dashboard on a study's choices."""

from __future__ import annotations

import click

from ablations.commands.shared import options
from ablations.commands.shared.options import AskedStudy

_STORAGE = "ABLATE_DASHBOARD_STORAGE"
_DASHBOARD = (
    f"import os, sys; sys.argv.insert(1, os.environ.pop({_STORAGE!r})); "
    + "from optuna_dashboard._cli import main; main()"
)
"""The address goes by the environment: every user of a machine sees the words of a command."""


@click.command("dashboard")
@options.recorded_study
@options.storage
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
def command(asked: AskedStudy, storage: str | None, port: int) -> int:
    """Open optuna-dashboard for a STUDY that chooses.

    On 127.0.0.1, for designs tuned and search. What Optuna's storage lacks is written into it first, from the
    study's record.
    """
    import os
    import sys
    from contextlib import suppress
    from importlib.util import find_spec

    from ablations.errors import ToolMissing
    from ablations.planning.commands import StudyCommands
    from ablations.running.machine.servers import serve
    from ablations.running.record.leases import Leases
    from ablations.running.search.proposer import AnotherChooses, Proposer
    from ablations.running.search.storage import storage_url
    from senet_core.errors import UserError

    design, paths = asked.open()
    if not design.kind.chooses:
        raise UserError(f"study {design.study.name!r} chooses nothing: its design is {design.study.design}")
    if find_spec("optuna_dashboard") is None:
        raise ToolMissing('optuna-dashboard is not installed: pip install "senet-ablations[dashboard]"')
    record = paths.open_record()
    if not paths.proposals.exists():
        first = StudyCommands(design.study, paths.places())("run")
        raise UserError(f"nothing to show: {paths.proposals} does not exist yet; first: {first}")
    with suppress(AnotherChooses):  # it keeps the storage up to date
        Proposer(design, paths, record, Leases(paths.leases), storage, click.echo).close()
    address = storage_url(storage, paths.results)
    click.echo(f"optuna-dashboard on http://127.0.0.1:{port}  (Ctrl-C ends it)")
    words = [sys.executable, "-c", _DASHBOARD, "--host", "127.0.0.1", "--port", str(port)]
    return serve(words, {**os.environ, _STORAGE: address})
