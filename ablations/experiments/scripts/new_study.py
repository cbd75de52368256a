"""A study file for a script, valid at once, with a comment wherever somebody must look."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ablations.experiments.scripts.options import Option

_SEEDS = ("seed", "random_seed", "manual_seed", "rng_seed", "random_state")
_FOLDERS = (
    "output", "output_dir", "outdir", "out_dir", "out", "save_dir", "save_path", "log_dir", "logdir", "results_dir",
    "work_dir", "workdir", "run_dir", "model_dir",
)  # fmt: skip
_USUAL = (
    "lr",
    "learning_rate",
    "weight_decay",
    "wd",
    "dropout",
    "momentum",
    "gamma",
    "batch_size",
    "hidden",
    "depth",
)
_SHORT = re.compile(r"[A-Za-z0-9_./-]+")


def study_text(script: Path, options: Sequence[Option]) -> str:
    """Return the text of a study file.

    Args:
        script: in the folder in which the file will stand.
        options: of the script.
    """
    by_name = {option.name: option for option in options}
    hydra = all(not option.flag for option in options)
    seed = next((by_name[name] for name in _SEEDS if name in by_name), None)
    folder = next((by_name[name] for name in _FOLDERS if name in by_name), None)
    fixed = {option.name for option in (seed, folder) if option is not None}
    varied = _varied([option for option in options if option.varies and option.name not in fixed])
    words = ["{python}", script.name]
    for option in varied:
        words += _typed(option, "{" + option.name + "}")
    words += [] if seed is None else _typed(seed, "{seed}")
    words += [] if folder is None else _typed(folder, "{folder}")
    words += ["hydra.run.dir={folder}"] if hydra else []
    lines = [
        f"# A study of {script.name}, made of what its --help says. Look at each line with a <- before you run it:",
        "#   ablate plan FILE    what would run;    ablate run FILE    runs it. Every field: docs/your-own-training.md",
        f"title: Options of {script.name}",
        f"question: Which options of {script.name} make a difference?",
        "",
        "experiment:",
        f"  command: {_flow(words)}",
    ]
    if seed is None:
        lines += [
            '  env: {ABLATE_SEED: "{seed}"}   # <- it shows no option for a seed: read os.environ["ABLATE_SEED"]'
        ]
    lines += [
        '  metrics: {accuracy: {goal: maximise, unit: "%"}}   # <- what it measures; the first metric decides',
        *_reading(folder is not None or hydra),
        "",
        f"baseline:{'' if varied else ' {}'}                        # every row is compared with this one",
        *(f"  {option.name}: {_scalar(option.default)}{_comment(option)}" for option in varied),
        *_others([option for option in options if option not in varied and option.name not in fixed]),
        "",
        "axes:                            # <- what is varied: a list of values for each",
        *(f"  {option.name}: {_flow_values(option)}" for option in varied),
        *(
            []
            if varied
            else [
                "  repeat: [1]                    # the same once more: no option has a default to begin with"
            ]
        ),
        "",
        "design: one-factor               # each axis alone around the baseline; grid: all combinations; and others",
        "seeds: 5                         # every row runs so many times, with seeds 0 to 4",
        "margin: 0.5                      # <- the smallest difference of interest, in the units of the first metric",
    ]
    return "\n".join(lines) + "\n"


def _varied(options: Sequence[Option]) -> list[Option]:
    """Return the options that the study begins with: what is usually asked about, else the first that has a number."""
    usual = [option for name in _USUAL for option in options if option.name.split(".")[-1] == name]
    numbers = [o for o in options if isinstance(o.default, (int, float)) and not isinstance(o.default, bool)]
    chosen = [option for option in options if option.choices]
    return (usual or numbers or chosen)[:2]


def _typed(option: Option, value: str) -> list[str]:
    return [option.flag, value] if option.flag else [f"{option.name}={value}"]


def _reading(has_folder: bool) -> list[str]:
    if has_folder:
        return [
            "  read: {json: metrics.json}     # <- a file that it leaves in {folder}; or, from what it prints:",
            '  # read: {regex: "accuracy ([0-9.]+)", at: last}',
        ]
    return [
        '  read: {regex: "[Aa]ccuracy[^0-9]*([0-9.]+)", at: last}   # <- what it prints; or a file in {folder}:',
        "  # read: {json: metrics.json}",
    ]


def _others(options: Sequence[Option]) -> list[str]:
    """Return what else could be varied, as comments."""
    known = [option for option in options if option.takes_value and option.default is not None]
    unknown = [option.flag for option in options if option.takes_value and option.default is None]
    flags = [option.flag for option in options if not option.takes_value]
    lines = []
    if known:
        lines.append("  # could be varied, too: a line here, its place in the command, and an axis")
        lines += [f"  # {option.name}: {_scalar(option.default)}{_comment(option)}" for option in known]
    if unknown:
        lines.append(f"  # their defaults are not told by --help: {', '.join(unknown)}")
    if flags:
        lines.append(f"  # there or not: {', '.join(flags)} (experiment.flags: {{NAME: --OPTION}})")
    return lines


def _comment(option: Option) -> str:
    said = [option.words] if option.words else []
    said += [f"one of {', '.join(option.choices)}"] if option.choices else []
    return f"   # {'; '.join(said)}" if said else ""


def _flow_values(option: Option) -> str:
    value = option.default
    if option.choices:
        return _flow([value, *(c for c in option.choices if c != str(value))][:3])
    if isinstance(value, bool):
        return _flow([value, not value])
    if isinstance(value, int):
        return _flow([value, 2 * value or 1])
    if isinstance(value, float):
        return _flow([value, value / 2 if value else 0.1])
    return _flow([value])


def _flow(values: Sequence[Any]) -> str:
    return f"[{', '.join(map(_scalar, values))}]"


def _scalar(value: Any) -> str:
    """Return a value as YAML reads it back."""
    if isinstance(value, str):
        plain = _SHORT.fullmatch(value) is not None and value.lower() not in (
            "true",
            "false",
            "null",
            "yes",
            "no",
            "on",
            "off",
        )
        return value if plain and not _is_number(value) else json.dumps(value)
    return json.dumps(value)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
