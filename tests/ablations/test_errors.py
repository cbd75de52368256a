"""Each thing that a caller handles differently has its class; the library names arguments, `ablate` names flags."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import ablations as ab
from ablations.api.planning import NoiseSource
from ablations.cli import COMMANDS
from ablations.commands.shared.flags import FLAGS, with_flags
from ablations.planning.networks.data_spec import DataSpec
from ablations.running.data import open_prepared, prepared_path
from ablations.running.executors.factories import ExecutorOptions
from ablations.running.record.forecasts import load_forecasts
from ablations.running.search.storage import open_storage

LIBRARY = ("planning", "running", "analysis", "api")
ROOT = Path(ab.__file__).parent

STUDY: dict[str, Any] = {
    "name": "small",
    "title": "Small",
    "question": "Does it work?",
    "baseline": {"backbone": "resnet8", "data": "digits"},
    "recipe": {"base": "cifar-quick", "epochs": 1},
    "axes": {"squeeze": ["avg", "max"]},
    "seeds": 2,
}

DIGITS, CIFAR = DataSpec(name="digits"), DataSpec(name="cifar10")


def a_file(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def results_with(name: str) -> ab.Results:
    a_file(f"results/small/{name}", "{}\n")
    return ab.load_results(STUDY)


def plan(**changes: Any) -> Any:
    return ab.plan({**STUDY, **changes})


CAUSES: dict[str, tuple[type[ab.UserError], str, Callable[[], object]]] = {
    "no such study": (ab.StudyError, "unknown study 'smoek'", lambda: ab.load_study("smoek")),
    "no YAML": (
        ab.StudyError,
        "study 'bad' is not valid YAML",
        lambda: (a_file("bad.yaml", "a: [1"), ab.load_study("bad.yaml")),
    ),
    "a wrong change": (
        ab.StudyError,
        "`overrides` takes FIELD=VALUE",
        lambda: ab.load_study(STUDY, overrides=["epochs"]),
    ),
    "a wrong field": (
        ab.StudyError,
        "unknown field 'seed'; did you mean 'seeds'",
        lambda: ab.load_study({**STUDY, "seed": 1}),
    ),
    "a wrong value of an axis": (
        ab.StudyError,
        "axis 'stages': unknown stage 7",
        lambda: plan(axes={"stages": [[7]]}),
    ),
    "a network twice": (
        ab.StudyError,
        "are the same network",
        lambda: plan(
            axes={"reduction": [16, 32]},
            baseline={"backbone": "resnet8", "data": "digits", "variant": {"stages": [2]}},
        ),
    ),
    "images that are too small": (
        ab.StudyError,
        "start_size is 12 pixels, and images of 'digits' have 8",
        lambda: plan(
            recipe={"base": "cifar-quick", "epochs": 1, "start_size": 12, "full_size_from": 0.5}
        ),
    ),
    "too large a batch": (
        ab.StudyError,
        "batch_size is 5,000, and there are",
        lambda: plan(recipe={"base": "cifar-quick", "batch_size": 5000}),
    ),
    "a corrupt record": (
        ab.RecordError,
        "trials.jsonl, line 1 is corrupt",
        lambda: results_with("trials.jsonl"),
    ),
    "corrupt proposals": (
        ab.RecordError,
        "proposals.jsonl, line 1 is corrupt",
        lambda: results_with("proposals.jsonl").record.proposals,
    ),
    "a corrupt ledger of looks": (
        ab.RecordError,
        "looks.jsonl, line 1 is corrupt",
        lambda: results_with("looks.jsonl").record.interim_plans,
    ),
    "a damaged forecast": (
        ab.RecordError,
        "forecast.json is damaged",
        lambda: load_forecasts(results_with("forecast.json").record.folder / "forecast.json"),
    ),
    "a pilot without a record": (
        ab.RecordError,
        "unknown study with a record 'absent'",
        lambda: ab.plan(STUDY, noise=NoiseSource(pilot="absent")),
    ),
    "data that are not there": (ab.DataError, "is not prepared in data", lambda: open_prepared(CIFAR, Path("data"))),
    "damaged data": (
        ab.DataError,
        "is damaged",
        lambda: (a_file(str(prepared_path(DIGITS, Path("data"))), "x"), ab.run(STUDY, workers=1)),
    ),
    "no Ray": (ab.ToolMissing, "the executor ray needs Ray", ExecutorOptions(executor="ray").factory),
    "no driver of a database": (ab.ToolMissing, "needs a driver", lambda: open_storage("mysql://nobody@127.0.0.1/none")),
    "inputs that contradict each other": (
        ab.UserError,
        "by `noise.sd` or by `noise.pilot`",
        lambda: ab.plan(STUDY, noise=NoiseSource(sd=1, pilot="absent")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_has_its_class(cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "ray", None)
    expected, words, call = CAUSES[cause]
    with pytest.raises(ab.UserError, match=re.escape(words)) as caught:
        call()
    assert type(caught.value) is expected


ALLOWED = {
    "api/last_run.py": "shows how a study was run last, as it was typed",
    "planning/commands.py": "whole commands, to be typed",
    "planning/factors/experiment_fields.py": "an option of a program of the user's, on the reference page",
    "planning/networks/datasets.py": "how data are had, in whole commands",
    "planning/new_study.py": "whole commands, in the comments of a new study",
    "planning/networks/reference.py": "whole commands, on the reference page",
    "planning/typed_study.py": "how a study is typed, for whole commands",
    "analysis/tables/render.py": "the alignment of a Markdown table",
    "analysis/probe/next_study.py": "whole commands, in the comments of a new study",
    "running/data/preparation.py": "a whole command: ablate data prepare",
    "running/data/torchvision_sets/reading.py": "a whole command: ablate data prepare",
    "running/doctor/machine.py": "whole commands of pip",
    "running/machine/code_version.py": "git's own flags",
    "running/machine/plain_environment.py": "git's own flags",
    "running/machine/signals.py": "sbatch's own flags",
    "running/mlflow/store.py": "MLflow's own flags",
    "running/record/weights.py": "a whole command: ablate reproduce",
}
"""Files whose texts may have flags, and why."""


def _texts(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_the_library_names_no_flags() -> None:
    flag = re.compile(r"(?<![\w-])--(?=[a-z]|$)")
    paths = [path for floor in LIBRARY for path in sorted((ROOT / floor).rglob("*.py"))]
    found = {str(path.relative_to(ROOT)) for path in paths if any(flag.search(text) for text in _texts(path))}
    assert found == ALLOWED.keys()


def test_what_is_translated_is_a_flag_of_a_command() -> None:
    known = {
        option
        for module in COMMANDS.values()
        for parameter in import_module(module).command.params
        for option in parameter.opts
    }
    assert set(FLAGS.values()) <= known


def test_a_sentence_is_translated_where_it_names_an_argument() -> None:
    said = with_flags(
        "use `fresh=True`, `results_dir` or `noise.sd=POINTS`; `ablate plan`, `confirm: 2`, `sd`"
    )
    assert said == "use --fresh, --results-dir or --sd POINTS; `ablate plan`, `confirm: 2`, `sd`"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "--set", "epochs"), "--set takes FIELD=VALUE, such as recipe.epochs=30, got 'epochs'"),
        (("run", "--set", "title.text=3"), "--set: 'title' is 'Small', which has no fields"),
        (("run", "--set", "seeds.count=3"), "study 'small': --set seeds.count: 'seeds' has no fields"),
        (("run", "--executor", "dask"), "--executor takes PACKAGE.MODULE:FACTORY"),
        (("plan", "--sd", "1", "--pilot", "other"), "give the noise by --sd or by --pilot, not by both"),
        (("plan", "--rho", "0.5"), "--rho belongs to --sd"),
        (("plan", "--detect", "0.5"), "--detect needs the noise between seeds, and this study's record does not tell it"
         " yet: state it with --sd POINTS, or name a study that trained alike with --pilot STUDY"),
    ],
)  # fmt: skip
def test_ablate_says_flags(ablate: Callable[..., Any], words: tuple[str, ...], said: str) -> None:
    found = ablate(words[0], "small.yaml", *words[1:])
    assert found.status == 2
    assert found.err.startswith(f"ablate: {said}")


def test_ablate_says_flags_where_it_prints_what_the_library_returns(ablate: Callable[..., Any]) -> None:
    assert "state it with --sd POINTS" in ablate("plan", "small.yaml", "--json").out
    a_file("results/small/trials.jsonl", "half")
    doctor = ablate("doctor", "small", "--no-tracking", "--json").out
    assert "the next sweep, or --fix, sets it aside" in doctor
    a_file("runs.csv", "variant,sed,value\na,0,1\n")
    assert ablate("analyse", "runs.csv", "--baseline", "a").err.endswith(
        "--seed-column NAME says which is meant\n"
    )
