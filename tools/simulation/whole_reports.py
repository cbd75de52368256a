"""How often a whole report errs: made-up studies, compared by the product's own code, row by row.

    python -m tools.simulation.whole_reports [--repetitions 5000] [--limit SETTINGS]

Each setting's rates are kept as a line of results/simulation/whole-reports.jsonl; what is there with as many
repetitions is not made again, so that a run that was ended goes on where it was.

A run's noise has a standard deviation of 0.25 points, half of whose variance is common to the runs of a seed; the
margin is 0.2 points. Noise of variants: normal; heavy, Student's t with 3 degrees of freedom; skewed, exponential; and
collapses: the first variant is 10 points worse in a tenth of its runs and a point better in the others, so that its
mean is the baseline's. What happens: nothing; each variant loses the worst tenth or third of its runs as failed; or the
report is read after every seed from the fourth on.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ablations.analysis.stats.comparison import Comparison, Rules
from ablations.analysis.stats.family import compare_family
from ablations.analysis.stats.interims.schedule import InterimSchedule
from ablations.running.machine.code_version import code_version
from tools.simulation.verdicts import MARGIN, SD, markdown_table

FILE = Path("results/simulation/whole-reports.jsonl")
REPETITIONS = 5000
_FIRST_LOOK = 4

Noise = Literal["normal", "heavy", "skewed", "collapses"]
Truth = Literal["all equal", "half real", "at the margin"]
Happens = Literal["nothing", "worst tenth fails", "worst third fails", "read after every seed"]
_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class WholeReport:
    """A kind of study.

    Attributes:
        rows: variants beside the baseline.
        seeds: of each row.
        noise: of the variants.
        truth: "half real": every other variant differs by twice the noise, better and worse by turns.
        happens: to the runs or to the report.
    """

    rows: int
    seeds: int
    noise: Noise = "normal"
    truth: Truth = "all equal"
    happens: Happens = "nothing"


@dataclass(frozen=True)
class ReportRates:
    """What came of the studies of one kind; shares between 0 and 1.

    Attributes:
        repetitions: studies.
        wrong_better: reports that call any row "better" that is not.
        wrong_difference: reports that call any row "better" or "worse" that is not.
        wrong_equivalent: reports that call any row "equivalent" that differs by the margin or more.
        warned: of the reports with a wrong verdict, those that warn of the row: runs far off, skew or failures.
        found: variants with a real effect whose direction is found.
        commit: of the code.
    """

    repetitions: int
    wrong_better: float
    wrong_difference: float
    wrong_equivalent: float
    warned: float | None
    found: float | None
    commit: str | None


def kinds() -> Iterator[WholeReport]:
    """Return every kind of study of the table, those that matter most first."""
    noises: tuple[Noise, ...] = ("normal", "heavy", "skewed", "collapses")
    for seeds in (6, 10):
        for noise in noises:
            yield WholeReport(17, seeds, noise)
    for happens in ("worst tenth fails", "worst third fails", "read after every seed"):
        yield WholeReport(17, 10, happens=happens)
    yield WholeReport(17, 10, "skewed", happens="read after every seed")
    for seeds in (6, 10):
        yield WholeReport(17, seeds, truth="half real")
        yield WholeReport(17, seeds, truth="at the margin")
        yield WholeReport(17, seeds, "skewed", truth="at the margin")
    for rows in (5, 40):
        for seeds in (6, 10):
            for noise in ("normal", "collapses"):
                yield WholeReport(rows, seeds, noise)
    for seeds in (3, 20, 30):
        for noise in noises:
            yield WholeReport(17, seeds, noise)


def simulate_reports(kind: WholeReport, repetitions: int, seed: int = 1) -> ReportRates:
    """Make studies of one kind, and count what their reports say.

    Args:
        kind: of study.
        repetitions: how many.
        seed: of the random numbers.
    """
    counts = {"better": 0, "difference": 0, "equivalent": 0, "any": 0, "warned": 0, "found": 0}
    truth = _truth(kind)
    for study in range(repetitions):
        found = _compared(kind, truth, np.random.default_rng([seed, study, kind.rows, kind.seeds]))
        wrong = {
            "better": [c for c, t in zip(found, truth, strict=True) if _says(c) < 0 and t >= 0],
            "difference": [
                c for c, t in zip(found, truth, strict=True) if _says(c) and _says(c) != np.sign(t)
            ],
            "equivalent": [
                c
                for c, t in zip(found, truth, strict=True)
                if c.reading.verdict == "equivalent" and abs(t) >= MARGIN
            ],
        }
        for name, rows in wrong.items():
            counts[name] += bool(rows)
        every = wrong["difference"] + wrong["equivalent"]
        counts["any"] += bool(every)
        counts["warned"] += bool(every) and any(_warns(c) for c in every)
        counts["found"] += sum(bool(t) and _says(c) == np.sign(t) for c, t in zip(found, truth, strict=True))
    real = int((truth != 0).sum()) if kind.truth == "half real" else 0
    return ReportRates(
        repetitions=repetitions,
        wrong_better=counts["better"] / repetitions,
        wrong_difference=counts["difference"] / repetitions,
        wrong_equivalent=counts["equivalent"] / repetitions,
        warned=counts["warned"] / counts["any"] if counts["any"] else None,
        found=counts["found"] / (real * repetitions) if real else None,
        commit=code_version().get("commit") or None,
    )


def known_rates(path: Path = FILE) -> dict[WholeReport, ReportRates]:
    """Return what was simulated before; of several lines of a kind the last."""
    if not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {WholeReport(**line["kind"]): ReportRates(**line["rates"]) for line in lines}


def reports_table(path: Path = FILE) -> str:
    """Return the table of the documentation, of what has been simulated."""
    heads = [
        "noise", "true differences", "what happens", "rows", "n", "any wrong better", "any wrong better/worse",
        "any wrong equivalent", "wrong, and warned of", "real ones found",
    ]  # fmt: skip
    rates = known_rates(path)
    rows = []
    for kind in kinds():
        if kind not in rates:
            continue
        r = rates[kind]
        shares = (r.wrong_better, r.wrong_difference, r.wrong_equivalent, r.warned, r.found)
        shown = ["-" if share is None else f"{100 * share:.1f} %" for share in shares]
        rows.append([kind.noise, kind.truth, kind.happens, str(kind.rows), str(kind.seeds), *shown])
    return markdown_table(heads, rows, words=heads[:3])


def page(path: Path = FILE) -> str:
    """Return the page of the documentation: how the table was made, and the table."""
    rates = known_rates(path).values()
    repetitions = sorted({r.repetitions for r in rates})
    commits = sorted({r.commit or "unknown" for r in rates})
    made = (
        f"Made by `python -m tools.simulation.whole_reports`, {' or '.join(map(str, repetitions))} studies for "
        f"each figure, commit {', '.join(commits)}, numpy {np.__version__}. Any wrong better: reports that call any "
        "row better that is not. Warned of: of the reports with a wrong verdict, those that say beside it that runs "
        "failed, lie far off or are skewed. Real ones found: of every other row, whose true difference is 0.5 points."
    )
    return f"{made}\n\n{reports_table(path)}\n"


def main() -> None:
    """Simulate what is not known yet, a line for each kind."""
    parser = argparse.ArgumentParser(description="Simulate how often whole reports are right.")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--limit", type=int, help="so many kinds of study at most")
    given = parser.parse_args()
    known = known_rates()
    lacking = [k for k in kinds() if k not in known or known[k].repetitions < given.repetitions]
    FILE.parent.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        asked = lacking[: given.limit]
        made = pool.map(simulate_reports, asked, [given.repetitions] * len(asked))
        for kind, rates in zip(asked, made, strict=True):
            line = json.dumps({"kind": asdict(kind), "rates": asdict(rates)})
            with FILE.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
            print(line, file=sys.stderr)
    FILE.with_suffix(".md").write_text(page(), encoding="utf-8")


def _truth(kind: WholeReport) -> _Floats:
    place = np.arange(kind.rows)
    if kind.truth == "at the margin":
        return np.where(place % 2, MARGIN, -MARGIN)
    if kind.truth == "half real":
        return np.where(place % 2, 2 * SD * np.where(place % 4 == 1, 1.0, -1.0), 0.0)
    return np.zeros(kind.rows)


def _compared(kind: WholeReport, truth: _Floats, generator: np.random.Generator) -> tuple[Comparison, ...]:
    shape = (1 + kind.rows, kind.seeds)
    own = generator.standard_normal(shape)
    if kind.noise == "heavy":
        own = generator.standard_t(3, shape) / math.sqrt(3)
    elif kind.noise == "skewed":
        own[1:] = generator.standard_exponential((kind.rows, kind.seeds)) - 1
    values = SD * math.sqrt(0.5) * (own + generator.standard_normal(kind.seeds))
    values[1:] += truth[:, None]
    if kind.noise == "collapses":
        values[1] += np.where(generator.random(kind.seeds) < 0.1, 9.0, -1.0)
    if kind.happens.startswith("worst"):
        share = 0.1 if "tenth" in kind.happens else 1 / 3
        likely = np.quantile(SD * generator.standard_normal(10_000), 1 - share)
        values[1:] = np.where(values[1:] - truth[:, None] > likely, np.nan, values[1:])
    names = [f"v{place}" for place in range(1 + kind.rows)]
    frame: dict[str, Any] = {
        "variant": np.repeat(names, kind.seeds),
        "seed": np.tile(np.arange(kind.seeds), 1 + kind.rows),
        "value": values.ravel(),
    }
    schedule = None
    if kind.happens == "read after every seed":
        schedule = InterimSchedule(tuple(range(_FIRST_LOOK, kind.seeds + 1)), kind.seeds)
    rules = Rules(margin=MARGIN, schedule=schedule, forecast=False)
    return compare_family(pd.DataFrame(frame), [(name, "v0") for name in names[1:]], rules)


def _says(comparison: Comparison) -> int:
    """Return -1 for "better", 1 for "worse", 0 for neither."""
    return {"better": -1, "worse": 1}.get(comparison.reading.verdict, 0)


def _warns(comparison: Comparison) -> bool:
    return comparison.ranks is not None or (comparison.shape is not None and not comparison.shape.ordinary)


if __name__ == "__main__":
    main()
