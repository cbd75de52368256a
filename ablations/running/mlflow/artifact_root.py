"""Where MLflow puts files: beside its database, whatever the database says.

MLflow writes absolute addresses into its database, and files go there. After `mv results elsewhere` that is the old
place; in a database that somebody else has made, it may be any folder of this user's. A link in the folder leads there
as well.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from senet_core.errors import UserError

WAIT_SECONDS = 20

log = logging.getLogger("ablations")


def keep_beside(database: Path, experiment_id: str, place: Path) -> None:
    """Let the files of an experiment and of its runs go to a folder, and say so where they would have gone elsewhere.

    Args:
        database: SQLite file of MLflow's.
        experiment_id: as MLflow counts them.
        place: the experiment's folder.

    Raises:
        UserError: the folder is a link or holds one: files would go elsewhere.
        sqlite3.Error: the database cannot be read or written.
    """
    link = _link_in(place)
    if link is not None:
        raise UserError(
            f"{str(link)!r} is a link to {os.readlink(link)!r}, and MLflow's files would go there; remove it, or name a"
            " database of your own by `tracking_uri`"
        )
    address = place.absolute().as_uri()
    with closing(sqlite3.connect(database, timeout=WAIT_SECONDS)) as connection, connection:
        [[before]] = connection.execute(
            "select artifact_location from experiments where experiment_id = ?", (experiment_id,)
        ).fetchall()
        changed = connection.execute(
            "update experiments set artifact_location = ?1 where experiment_id = ?2 and artifact_location is not ?1",
            (address, experiment_id),
        ).rowcount
        changed += connection.execute(
            "update runs set artifact_uri = ?1 || '/' || run_uuid || '/artifacts' where experiment_id = ?2"
            " and artifact_uri is not ?1 || '/' || run_uuid || '/artifacts'",
            (address, experiment_id),
        ).rowcount
    if changed:
        log.warning("%s had its files in %r; they are looked for and kept in %s now", database, before, place)


def _link_in(place: Path) -> Path | None:
    """Return a link by which a folder, or what lies in it, leads elsewhere; None where there is none."""
    for folder in (place.parent, place):
        if folder.is_symlink():
            return folder
    for root, folders, names in os.walk(place):
        for name in (*folders, *names):
            if os.path.islink(os.path.join(root, name)):
                return Path(root, name)
    return None
