"""Kill a real study's sweep and its workers again and again, and compare what comes of it with a quiet run.

`make chaos` runs it; `CHAOS_KILLS=10` makes it shorter. A small study on scikit-learn's digits is swept by
`ablate run`, and then a search (studies.py). At seeded random instants a worker or the sweep itself is ended by
SIGKILL: while it starts, while it trains, in the milliseconds after a line was added to the record. About a third of
the kills fall in the midst of writing a file: record, outcomes, weights, interim analyses, proposals, forecasts,
leases, progress, checkpoints, plan, report, MLflow's database (orders.py, inherited/midway.py). Each of these kinds
must be hit, if it takes more kills than were asked for. After each kill every finished trial must have its own
outcomes and weights. Whenever the sweep has ended, the same command starts it again; seeds are added while there are
kills left. With `--sweeps 2`, two commands work on the one study at once, each under fire. Then a second folder gets
the same study without a kill, and `comparing.py` says what differs. The exit status is 1 if anything does.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from comparing import analysed_at, compare
from inherited.midway import PATHS
from studies import Grid, Search
from under_fire import Chaos

GOOD = (
    "none lost, none doubled, each with its outcomes and weights, record, proposals, report and MLflow equal"
)
SEARCHING = 0.25  # of the kills


def _quiet(subject: Grid | Search, folder: Path, data_dir: Path, sizes: list[int]) -> Chaos:
    """Run a study without a kill, at the sizes at which the other one was analysed."""
    quiet = Chaos(subject, folder, data_dir)
    for subject.size in dict.fromkeys(sizes):
        quiet.run()
    return quiet


def _shown(kills: Counter[str]) -> str:
    midway = {kind: kills[kind] for kind in PATHS if kills[kind]}
    others = ", ".join(f"{count} {name}" for name, count in sorted(kills.items()) if name not in midway)
    within = ", ".join(f"{count} {kind}" for kind, count in midway.items())
    return f"{others}; {sum(midway.values())} in the midst of writing: {within}"


def main() -> int:
    """Run both studies, compare each with a quiet run, and say in one line what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="of the instants and the victims")
    parser.add_argument("--epochs", type=int, default=5, help="of a trial")
    parser.add_argument("--pause", type=float, default=2.5, help="mean seconds between kills")
    parser.add_argument("--sweeps", type=int, default=1, help="that work on the first study at once")
    parser.add_argument("--folder", type=Path, help="where to run; kept. A temporary one if not given")
    options = parser.parse_args()
    folder = (options.folder or Path(tempfile.mkdtemp(prefix="chaos-"))).absolute()
    data, started = folder / "data", time.monotonic()
    searching = round(SEARCHING * options.kills)
    parts = [(Grid(), options.kills - searching, options.sweeps), (Search(), searching, 1)]
    faults, runs = [], []
    for subject, kills, sweeps in parts:
        name = type(subject).__name__.lower()
        for each in (name, f"{name}-quiet"):
            shutil.rmtree(folder / each, ignore_errors=True)
            (folder / each).mkdir(parents=True)
            (folder / each / "chaos.yaml").write_text(subject.text % options.epochs, encoding="utf-8")
        chaos = Chaos(subject, folder / name, data, kills, options.seed, options.pause, sweeps)
        chaos.run()
        sizes = chaos.concluded if subject.grows_when_ended else analysed_at(chaos.folder)
        quiet = _quiet(type(subject)(), folder / f"{name}-quiet", data, [*sizes, subject.size])
        found = compare(chaos.folder, quiet.folder, chaos.worker_kills, chaos.forecasts)
        faults += [f"{name}: {fault}" for fault in (*chaos.faults, *quiet.faults, *found)]
        runs.append(chaos)
    for fault in faults:
        print(f"fault: {fault}")
    kills = sum((chaos.kills for chaos in runs), Counter())
    together = f", {runs[0].most_at_once} at once," if options.sweeps > 1 else ""
    print(
        f"chaos: {kills.total()} kills ({_shown(kills)}) over {sum(chaos.starts for chaos in runs)} sweeps{together} in"
        f" {time.monotonic() - started:.0f} s, seed {options.seed};"
        f" {sum(chaos.subject.trials for chaos in runs)} trials against the quiet runs: "
        + (f"{len(faults)} faults, see {folder}" if faults else GOOD)
    )
    if not faults and options.folder is None:
        shutil.rmtree(folder)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
