"""Where MLflow puts files: beside its database, whatever the database says.

MLflow writes absolute addresses into its database, and files go there. After `mv results elsewhere` that is the old
place; in a database that somebody else has made, it may be any folder of this user's.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

WAIT_SECONDS = 20

log = logging.getLogger("ablations")


def keep_beside(database: Path, experiment_id: str, place: Path) -> None:
    """Let the files of an experiment and of its runs go to a folder, and say so where they would have gone elsewhere.

    Args:
        database: SQLite file of MLflow's.
        experiment_id: as MLflow counts them.
        place: the experiment's folder.

    Raises:
        sqlite3.Error: the database cannot be read or written.
    """
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
