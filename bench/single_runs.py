"""What a study of single runs would have said: how often one run of each row has the other sign than all seeds' mean.

python bench/single_runs.py section6 --set recipe.epochs=1 --set baseline.backbone=resnet8 --seeds 6
"""

from __future__ import annotations

from statistics import mean

from pages import table, write_page
from recorded import command_of, errors_of, study_arguments, study_of


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
    """Return the table of every seed's difference, with how many single runs would mislead."""
    base = errors[baseline]
    seeds = sorted(base)
    lines, wrong_in_all, pairs_in_all = [], 0, 0
    rows = {
        label: found for label, found in errors.items() if label != baseline and found.keys() >= base.keys()
    }
    for label, found in sorted(rows.items(), key=lambda row: mean(row[1].values())):
        differences = [found[seed] - base[seed] for seed in seeds]
        whole = mean(differences)
        apart = [found[a] - base[b] for a in seeds for b in seeds if a != b]
        wrong = sum(one * whole <= 0 for one in apart)
        wrong_in_all, pairs_in_all = wrong_in_all + wrong, pairs_in_all + len(apart)
        opposite = sum(one * whole <= 0 for one in differences)
        shown = [f"{one:+.2f}" for one in (*differences, whole)]
        lines.append([label, *shown, f"{opposite} of {len(seeds)}", f"{wrong} of {len(apart)}"])
    heads = [
        "variant",
        *(f"seed {seed}" for seed in seeds),
        "mean",
        "other sign, same seed",
        "other sign, two seeds",
    ]
    return table(heads, lines) + (
        f"\n\nDifferences to {baseline} in points of top-1 error. One run of each row, with two seeds, has the"
        f" other sign than the mean of all in {wrong_in_all} of {pairs_in_all} pairs."
    )


if __name__ == "__main__":
    main()
