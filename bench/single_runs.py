"""What single runs would have said, beside what all seeds say, against the baseline and the plain network.

python bench/single_runs.py section6 --set recipe.epochs=1 --set baseline.backbone=resnet8 --seeds 6
"""

from __future__ import annotations

from statistics import mean

from pages import table, write_page
from recorded import command_of, errors_of, study_arguments, study_of

from ablations.analysis.stats.paired import PairedDifference, paired_difference

PLAIN = "plain"


def main() -> None:
    """Count, and write a page into results/STUDY-single-runs/."""
    asked = study_arguments(__doc__.splitlines()[0]).parse_args()
    study = study_of(asked)
    errors = errors_of(study, asked.results_dir)
    text = page(study.baseline.label, errors)
    print(text)
    folder = asked.results_dir / f"{asked.study}-single-runs"
    write_page(folder, {"top1_errors": errors}, text, command_of("single_runs.py", asked))


def page(baseline: str, errors: dict[str, dict[int, float]]) -> str:
    """Return the table of mean differences, with how many pairs of single runs have the other sign."""
    base = errors[baseline]
    seeds = sorted(base)
    lines, counts = [], {True: [0, 0], False: [0, 0]}
    rows = {
        label: found for label, found in errors.items() if label != baseline and found.keys() >= base.keys()
    }
    plain = rows.get(PLAIN)
    for label, found in sorted(rows.items(), key=lambda row: mean(row[1].values())):
        whole = mean(found[seed] - base[seed] for seed in seeds)
        pairs = [found[a] - base[b] for a in seeds for b in seeds if a != b]
        wrong = sum(one * whole <= 0 for one in pairs)
        to_base, to_plain = (_difference(found, other, seeds) for other in (base, plain))
        shown = to_base.lo is not None and to_base.hi is not None and to_base.lo * to_base.hi > 0
        counts[shown][0] += wrong
        counts[shown][1] += len(pairs)
        lines.append(
            [label, _text(to_base), "" if label == PLAIN else _text(to_plain), f"{wrong} of {len(pairs)}"]
        )
    heads = [
        "variant",
        f"difference to {baseline}",
        f"difference to {PLAIN}",
        "single runs with the other sign",
    ]
    (shown_wrong, shown_pairs), (open_wrong, open_pairs) = counts[True], counts[False]
    return table(heads, lines) + (
        f"\n\nDifferences in points of top-1 error, {len(seeds)} seeds in pairs, with their 95 % t-intervals, each"
        f" taken alone. Single runs: one of the row and one of {baseline} with another seed. The other sign than the"
        f" mean of all have {shown_wrong} of {shown_pairs} in rows whose interval leaves out 0, and {open_wrong} of"
        f" {open_pairs} in the others, where the mean's own sign is open."
    )


def _difference(
    found: dict[int, float], other: dict[int, float] | None, seeds: list[int]
) -> PairedDifference:
    base = {} if other is None else other
    both = [seed for seed in seeds if seed in base]
    return paired_difference([found[seed] for seed in both], [base[seed] for seed in both])


def _text(difference: PairedDifference) -> str:
    if difference.mean is None or difference.lo is None or difference.hi is None:
        return "-"
    return f"{difference.mean:+.2f} [{difference.lo:+.2f}, {difference.hi:+.2f}]"


if __name__ == "__main__":
    main()
