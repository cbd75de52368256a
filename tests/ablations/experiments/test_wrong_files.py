"""Wrong study files of programs and functions: one line each, status 2, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

COMMAND: dict[str, Any] = {
    "title": "Own",
    "question": "Does it matter?",
    "experiment": {
        "command": ["{python}", "train.py", "--lr", "{lr}", "--seed", "{seed}", "--output", "{folder}"],
        "metrics": {"accuracy": {"goal": "maximise"}},
    },
    "baseline": {"lr": 0.1},
    "axes": {"lr": [0.1, 0.2]},
    "seeds": 2,
    "margin": 0.1,
}
FUNCTION: dict[str, Any] = {
    **COMMAND,
    "experiment": {"call": "own_code:train", "metrics": {"accuracy": "maximise"}},
}


def _with(study: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a study with other fields; `experiment__command` is the field of a field, and None leaves one out."""
    changed = {**study, "experiment": dict(study["experiment"])}
    for name, value in changes.items():
        outer, _, inner = name.partition("__")
        place = changed[outer] if inner else changed
        if value is None:
            place.pop(inner or outer, None)
        else:
            place[inner or outer] = value
    return changed


WRONG = [
    (
        _with(COMMAND, experiment__command="python train.py {lr} {seed}"),
        "is a list of arguments, which no shell reads: [python, train.py, {lr}, {seed}]",
    ),
    (_with(COMMAND, experiment__command=[]), "must be a list of the program and its arguments, got []"),
    (_with(COMMAND, experiment__command=None), "experiment needs one of command, call and kind"),
    (_with(COMMAND, experiment__call="own_code:train"), "give a command or a call, not both"),
    (
        _with(COMMAND, experiment__command=["x", "{lr}", "{sed}"]),
        "unknown placeholder '{sed}'; did you mean '{seed}'?",
    ),
    (
        _with(COMMAND, experiment__command=["x", "{seed}"]),
        "factor 'lr': no placeholder of the command uses it",
    ),
    (
        _with(COMMAND, experiment__command=["x", "{lr}"]),
        "has no {seed}, so every run of a row would be the same one",
    ),
    (
        _with(COMMAND, experiment__command=["x", "{lr", "{seed}"]),
        "a single '{' in '{lr'; '{{' is the brace itself",
    ),
    (
        _with(COMMAND, experiment__metrics={"accuracy": "maximize"}),
        "unknown goal of experiment.metrics.accuracy 'maximize'; did you mean 'maximise'?",
    ),
    (_with(COMMAND, experiment__metrics={}), "experiment.metrics: give at least one; the first decides"),
    (_with(COMMAND, experiment__metrics={"verdict": "minimise"}), "reports have a column of this name"),
    (
        _with(COMMAND, experiment__metrics={"a": {"goal": "minimise", "decimal": 2}}),
        "unknown field of experiment.metrics.a 'decimal'; did you mean 'decimals'?",
    ),
    (
        _with(COMMAND, experiment__read={"jsn": "metrics.json"}),
        "unknown field of experiment.read 'jsn'; did you mean 'json'?",
    ),
    (_with(COMMAND, experiment__read={"json": "../metrics.json"}), "is within the trial's folder"),
    (
        _with(COMMAND, experiment__read={"regex": "accuracy"}),
        "must have one group, which is the number, and has 0",
    ),
    (_with(COMMAND, experiment__read={"regex": "accuracy ([0-9"}), "is no regular expression"),
    (
        _with(COMMAND, experiment__read={"json": "m.json", "csv": "m.csv"}),
        "takes one of json, regex, csv, mlflow, tensorboard, got csv, json",
    ),
    (_with(COMMAND, experiment__read={"json": "m.json", "at": "end"}), "unknown at of experiment.read 'end'"),
    (_with(COMMAND, experiment__code=["trian.py"]), "there is no file or folder 'trian.py'"),
    (
        _with(COMMAND, experiment__flags={"nesterov": "--nesterov"}),
        "experiment.flags: 'nesterov' is no factor",
    ),
    (_with(COMMAND, experiment__gpus="all"), "experiment.gpus must be a whole number from 0, got 'all'"),
    (_with(COMMAND, experiment__kinds="x"), "unknown field of experiment 'kinds'"),
    (_with(COMMAND, baseline={"lr": 0.1, "seed": 3}), "factor 'seed': the harness fills in"),
    (_with(COMMAND, axes={"lrs": [1, 2]}), "unknown axis 'lrs'; did you mean 'lr'?"),
    (_with(COMMAND, axes={"lr": []}), "axis 'lr' has no values"),
    (_with(COMMAND, axes={"lr": [0.1, 0.1]}), "axis 'lr' has the value '0.1' twice"),
    (_with(COMMAND, axes={"lr": [{"file": "missing.yaml"}]}), "cannot read the file 'missing.yaml'"),
    (_with(COMMAND, margin=None), "margin is missing"),
    (_with(COMMAND, recipe="cifar-quick"), "unknown field 'recipe'"),
    (_with(COMMAND, experiment={"kind": "detektion"}), "unknown kind of experiment 'detektion'"),
    (_with(COMMAND, experiment={"kind": "classification"}), "a study of networks has no field experiment"),
    (_with(FUNCTION, experiment__call="own_code"), "takes MODULE:FUNCTION, a function of (trial, context)"),
    (_with(FUNCTION, experiment__call="own_coed:train"), "own_coed cannot be imported: ModuleNotFoundError"),
    (_with(FUNCTION, experiment__call="own_code:trane"), "own_code has no 'trane'"),
    (_with(FUNCTION, experiment__call="own_code:NUMBER"), "own_code:NUMBER cannot be called"),
    (
        _with(FUNCTION, experiment__call="broken_code:train"),
        "broken_code cannot be imported: ZeroDivisionError: division by zero",
    ),
    (_with(FUNCTION, experiment__read={"json": "m.json"}), "unknown field of experiment 'read'"),
]


@pytest.mark.parametrize(("study", "said"), WRONG, ids=[said[:60] for _, said in WRONG])
def test_a_wrong_file_is_refused_in_one_line(
    ablate: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    study: dict[str, Any],
    said: str,
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "train.py").write_text("", encoding="utf-8")
    (tmp_path / "own_code.py").write_text(
        "NUMBER = 1\ndef train(trial, context): return {}\n", encoding="utf-8"
    )
    (tmp_path / "broken_code.py").write_text("1 / 0\n", encoding="utf-8")
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
    before = sorted(path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts)
    found = ablate("run", "own.yaml", "--no-tracking")
    assert found.status == 2, found.err
    [line] = found.err.strip().splitlines()
    assert said in line, line
    assert sorted(path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts) == before


LEFT = {
    "nothing": ("", "it left no metrics.json that can be read"),
    "another": ("write({'loss': 1})", "accuracy is not in metrics.json, which has loss"),
    "text": ("write({'accuracy': 'high'})", "accuracy in metrics.json is no number: 'high'"),
    "truth": ("write({'accuracy': True})", "accuracy in metrics.json is no number: True"),
    "several": (
        "write({'accuracy': [1, 2]})",
        "accuracy is in metrics.json 2 times, and which one counts is not said",
    ),
    "no json": ("open(folder + '/metrics.json', 'w').write('{')", "metrics.json is no JSON"),
    "status": ("print('all is well'); raise SystemExit(3)", "exit status 3; it printed last: all is well"),
    "signal": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "killed by SIGKILL"),
    "infinite": ("write({'accuracy': float('inf')})", "its accuracy is inf"),
}


def test_what_a_program_prints_is_read_and_not_how_it_was_called(
    ablate: Callable[..., Any], tmp_path: Path
) -> None:
    command = ["{python}", "-c", "print('accuracy', 7)  # accuracy 9", "{lr}", "{seed}"]
    study = _with(
        COMMAND, experiment__command=command, experiment__read={"regex": "accuracy ([0-9]+)"}, seeds=1
    )
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
    found = ablate("run", "own.yaml", "--no-tracking", "--no-report", "--workers", "1")
    assert found.status == 0, found.out
    assert "accuracy 7.0000" in found.out


@pytest.mark.parametrize("way", LEFT)
def test_a_program_that_leaves_no_metric_fails_with_the_reason(
    ablate: Callable[..., Any], tmp_path: Path, way: str
) -> None:
    code, said = LEFT[way]
    head = "import json, sys\nfolder = sys.argv[-1]\ndef write(x): json.dump(x, open(folder + '/metrics.json', 'w'))\n"
    (tmp_path / "train.py").write_text(head + code, encoding="utf-8")
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(_with(COMMAND, seeds=1)), encoding="utf-8")
    found = ablate("run", "own.yaml", "--no-tracking", "--no-report", "--workers", "1")
    assert found.status == 1
    assert said in " ".join(found.out.split()), found.out
    assert "Traceback" not in found.out + found.err
