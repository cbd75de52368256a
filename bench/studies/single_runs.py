"""What single runs would have said, beside what all seeds say, against the baseline and the plain network.

python -m bench.studies.single_runs first-epoch
"""

from __future__ import annotations

from statistics import mean

from ablations.analysis.stats.paired import paired_difference
from ablations.analysis.tables.cells import Difference, Text
from bench.pages import markdown_table, write_page
from bench.programs import run_program
from bench.studies.recorded import command_of, errors_of, study_of, study_parser

PLAIN = "plain"


def main() -> None:
    """Count, and write a page into results/STUDY-single-runs/."""
    asked = study_parser(__doc__.splitlines()[0]).parse_args()
    study = study_of(asked)
    errors = errors_of(study, asked.results_dir)
    folder, text = asked.results_dir / f"{asked.study}-single-runs", page(study.baseline.label, errors)
    write_page(folder, {"top1_errors": errors}, text, command_of("single_runs", asked, "seeds"))


def page(baseline: str, errors: dict[str, dict[int, float]]) -> str:
    """Return the table of mean differences, with how many pairs of single runs have the other sign.

    Args:
        baseline: its row.
        errors: in per cent, by row and seed; a row that lacks a seed of the baseline's is left out.
    """
    base, seeds = errors[baseline], sorted(errors[baseline])
    rows = {row: found for row, found in errors.items() if row != baseline and found.keys() >= base.keys()}
    lines, counts = [], {True: [0, 0], False: [0, 0]}
    for label, found in sorted(rows.items(), key=lambda row: mean(row[1].values())):
        whole = mean(found[seed] - base[seed] for seed in seeds)
        pairs = [found[a] - base[b] for a in seeds for b in seeds if a != b]
        wrong = sum(one * whole <= 0 for one in pairs)
        to_base, to_plain = (_difference(found, other, seeds) for other in (base, rows.get(PLAIN, {})))
        shown = to_base.lo is not None and to_base.hi is not None and to_base.lo * to_base.hi > 0
        counts[shown][0] += wrong
        counts[shown][1] += len(pairs)
        beside = Text("") if label == PLAIN else to_plain
        lines.append((Text(label), to_base, beside, Text(f"{wrong} of {len(pairs)}")))
    heads = ["variant", f"difference to {baseline}", f"difference to {PLAIN}"]
    (shown_wrong, shown_pairs), (open_wrong, open_pairs) = counts[True], counts[False]
    return markdown_table([*heads, "single runs with the other sign"], lines) + (
        f"\n\nDifferences in points of top-1 error, {len(seeds)} seeds in pairs, with their 95 % t-intervals, each"
        f" taken alone. Single runs: one of the row and one of {baseline} with another seed. The other sign than the"
        f" mean of all have {shown_wrong} of {shown_pairs} in rows whose interval leaves out 0, and {open_wrong} of"
        f" {open_pairs} in the others, where the mean's own sign is open."
    )


def _difference(found: dict[int, float], base: dict[int, float], seeds: list[int]) -> Difference:
    both = [seed for seed in seeds if seed in base]
    compared = paired_difference([found[seed] for seed in both], [base[seed] for seed in both])
    return Difference(compared.mean, compared.lo, compared.hi)


if __name__ == "__main__":
    run_program(main)
