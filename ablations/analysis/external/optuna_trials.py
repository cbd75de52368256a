"""Trials of an Optuna study: parameters make the variant, a parameter or an attribute of the user's the seed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.analysis.external.asked import Asked, Goal, compose
from ablations.analysis.external.folders import has_table, is_sqlite
from ablations.analysis.external.runs import Points, Recorded, RecordedRun, as_number, as_text
from ablations.analysis.external.source import Source
from ablations.errors import ToolMissing
from ablations.running.machine.addresses import shown_address, sqlite_address, sqlite_file, without_secrets
from ablations.running.search.storage import close_storage, storage_url
from senet_core.errors import UserError, one_line, unknown

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

_STATES = {"FAIL": "failed", "PRUNED": "pruned", "RUNNING": "not finished"}


class OptunaStudy(Source):
    """A study of Optuna in a database, or in a journal file."""

    name = "optuna"
    accepts = "optuna:STORAGE#STUDY: sqlite:///FILE.db, another database's address, or a journal file"

    def recognises(self, place: str) -> bool:
        """Return whether it is an address of a database, or a file of SQLite."""
        storage = place.rpartition("#")[0] or place
        return "://" in storage or is_sqlite(Path(storage))

    def read(self, place: str, asked: Asked) -> Recorded:
        """Return the trials of a study but for those that wait; failed and pruned ones have no result."""
        address, _, name = place.rpartition("#") if "#" in place else (place, "", "")
        with _opened(address) as storage:
            study = _study(storage, name, _shown(address))
            trials = [trial for trial in study.get_trials(deepcopy=False) if trial.state.name != "WAITING"]
        where = f"Optuna's study {study.study_name!r}"
        objectives = _objectives(study)
        seed, task = asked.seed or "seed", asked.task or "task"
        params = dict.fromkeys(compose(param) for trial in trials for param in trial.params)
        metric = objectives[0] if len(objectives) == 1 else None
        goal: Goal | None = None
        if (asked.metric or metric) in objectives:
            direction = study.directions[objectives.index(asked.metric or str(metric))].name
            goal = "maximise" if direction == "MAXIMIZE" else "minimise"
        if goal is not None and asked.goal not in (None, goal):
            raise UserError(
                f"{where} was made to {goal} {asked.metric or metric!r}; `goal={asked.goal}` says the opposite"
            )
        said = (
            ()
            if goal is None or asked.goal
            else (f"{where} says that it is to {goal} {asked.metric or metric}.",)
        )
        return Recorded(
            where,
            [_run(trial, objectives) for trial in trials],
            said,
            kind="trial",
            variant=tuple(param for param in params if param not in (seed, task)),
            metric=metric,
            goal=goal,
        )


def _run(trial: FrozenTrial, objectives: Sequence[str]) -> RecordedRun:
    attributes = {compose(name): value for name, value in trial.user_attrs.items()}
    metrics: dict[str, Points] = {
        name: ((None, number),)
        for name, value in attributes.items()
        if (number := as_number(value)) is not None
    }
    if trial.values is not None and trial.state.name == "COMPLETE":
        metrics |= {
            name: ((None, float(value)),) for name, value in zip(objectives, trial.values, strict=True)
        }
    settings = {name: as_text(value) for name, value in attributes.items()}
    settings |= {compose(name): as_text(value) for name, value in trial.params.items()}
    return RecordedRun(str(trial.number), settings, metrics, _STATES.get(trial.state.name, ""))


def _objectives(study: Study) -> list[str]:
    """Return what the study's values are called: as the study names them, or `value`, or `value_0` and so on."""
    named = study.metric_names
    if named is not None:
        return [compose(name) for name in named]
    count = len(study.directions)
    return ["value"] if count == 1 else [f"value_{place}" for place in range(count)]


def _study(storage: BaseStorage, name: str, shown: str) -> Study:
    import optuna

    names = [one.study_name for one in optuna.get_all_study_summaries(storage)]
    if not name and len(names) == 1:
        (name,) = names
    if not name:
        if not names:
            raise UserError(f"Optuna's storage {shown} has no study")
        raise UserError(
            f"Optuna's storage {shown} has several studies; say which as {shown}#STUDY: {', '.join(names)}"
        )
    if name not in names:
        raise UserError(f"Optuna's storage {shown}: {unknown('study', name, names)}")
    return optuna.load_study(study_name=name, storage=storage)


@contextmanager
def _opened(address: str) -> Iterator[BaseStorage]:
    """Open a storage to read it: nothing is made or migrated.

    Raises:
        ToolMissing: the driver of the database is not installed.
        UserError: it is not there, or no storage of Optuna.
    """
    import optuna
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend
    from sqlalchemy.exc import SQLAlchemyError

    file = sqlite_file(address) if "://" in address else Path(address)
    if file is not None and not file.is_file():
        raise UserError(f"Optuna's storage {str(file)!r} is {'no file' if file.exists() else 'not there'}")
    is_address = "://" in address
    if is_address and file is not None and not is_sqlite(file):
        raise UserError(f"Optuna's storage {str(file)!r} is no database of SQLite")
    if file is not None and is_sqlite(file) and not has_table(file, "studies"):
        mlflows = (
            "MLflow's, which mlflow:EXPERIMENT reads"
            if has_table(file, "experiments")
            else "something else's"
        )
        raise UserError(f"{str(file)!r} is no storage of Optuna, but {mlflows}")
    storage: BaseStorage | None = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a storage is experimental
            if is_address or is_sqlite(Path(address)):
                url = storage_url(address if is_address else sqlite_address(Path(address)), Path())
                storage = RDBStorage(url, skip_table_creation=True)
            else:
                storage = JournalStorage(JournalFileBackend(address))
        yield storage
    except ImportError as error:
        raise ToolMissing(
            f"Optuna's storage {_shown(address)} needs a driver that is not installed:"
            f" {without_secrets(str(error), address)}"
        ) from error
    except UserError:
        raise
    except (
        SQLAlchemyError,
        optuna.exceptions.OptunaError,
        OSError,
        RuntimeError,
        ValueError,
        KeyError,
        TypeError,
        AssertionError,
    ) as error:
        cause: BaseException = error
        while cause.__cause__ is not None:  # Optuna's own text is about commits, whatever has happened
            cause = cause.__cause__
        why = without_secrets(one_line(getattr(cause, "orig", None) or cause), address)
        raise UserError(f"Optuna's storage {_shown(address)} cannot be read: {why[:200]}") from error
    finally:
        if isinstance(storage, RDBStorage):
            close_storage(storage)


def _shown(address: str) -> str:
    return shown_address(address) if "://" in address else address
