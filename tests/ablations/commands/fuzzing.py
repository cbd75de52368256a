"""Study files and command lines that nobody should write, made of ones that somebody would."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

STUDY: dict[str, Any] = {
    "title": "Small",
    "question": "Does it work?",
    "baseline": {
        "backbone": "resnet8",
        "variant": {"reduction": 8},
        "data": {"name": "digits", "train_images": 80, "test_images": 40},
    },
    "recipe": {"base": "cifar-quick", "epochs": 1, "batch_size": 32, "lr": 0.05, "milestones": []},
    "axes": {"squeeze": ["avg", "max"], "reduction": [4, {2: 4, 3: 4, 4: 8}], "recipe.lr": [0.1, 0.2]},
    "design": "one-factor",
    "margin": 0.3,
    "include_plain": True,
    "keep_weights": True,
    "tests": [{"crops": 1, "ensembles": ["seeds"]}],
    "seeds": 2,
    "paper_tables": ["table_10"],
    "allow_identical": True,
    "plugins": [],
}
"""A valid study that says something in most fields of its design."""

FIELDS = [*STUDY, "name", "overrides", "typed", "stages", "bias", "gate", "excitation", "integration",
          "backbone",
          "repeat", "recipe.epochs", "recipe.iterations", "recipe.schedule", "recipe.warmup", "path",
          "size", "crops", "short", "flip", "ensembles", "<<",
          "iterations", "warmup", "warmup_lr", "cutout", "pad",
          "start_size", "full_size_from", "recipe.start_size", "precision", "nesterov", "momentum",
          "data"]  # fmt: skip

HUGE = [
    10**30,
    -(10**30),
    2**63,
    2**31,
    10_000,
    1e308,
    -1e308,
    5e-324,
    float("nan"),
    float("inf"),
    -float("inf"),
]

NAMES = ["avg", "max", "none", "plain", "se", "se:reduction=8", "se:reduction=99999999999999999999", "se:",
         "se:=",
         "se:stages=2+2", "se:reduction=2:4/3:4", "resnet8", "resnet20", "resnet50", "resnet999998", "vgg16",
         "wrn-16-8", "resnet6000000000000000000002", "digits", "image-folder", "cifar10", "cifar-quick",
         "grid",
         "pairwise", "step", "all", "bf16", "table_10", "standard", "pre", "sigmoid", "bottleneck",
         "../../x", "/etc/passwd", "~nobody-such/x.py", "~", ".", "..", "", " ", "\x00", "a\x00b", "\n",
         "\r\n", "\u2028",
         "\ufeff", "\U0001f600", "e\u0301" * 50, "\x1b[31m", "<script>", "'", '"', "%s%n{}{0}", "x" * 5000,
         "null", "NaN",
         "2026-01-01", "1e400", "0x10", "1_000", "yes"]  # fmt: skip

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 70),
    st.sampled_from(HUGE),
    st.floats(),
    st.sampled_from(NAMES),
    st.text(max_size=12),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(FIELDS) | st.integers(-1, 6).map(str), inner, max_size=3)
    ),
    max_leaves=8,
)

SNIPPETS = ["&a", "*a", "*b", "<<: *a", "!!python/object/apply:os.system ['true']",
            "!!python/name:os.system", "!x y",
            "!!binary aGk=", "!!set {a, b}", "!!timestamp 2026-01-01", "!!omap [a: 1]", "? [a]\n: b",
            "---", "...",
            "%YAML 9.9", "\t", "[" * 400, "{" * 400, "- " * 400, "seeds: 3", "axes: {}", "title: again",
            "|", ">", "&a [*a]",
            "{&a a: *a}", "#", ":", "\u0085", "\x07", "'", '"', "!!float nonsense", "!!int nonsense",
            "!!bool nonsense",
            "190:20:30", "0o17", "2026-13-45", "=", "!!null x", "!!map []", "!!seq {}", "? ", "@",
            "`"]  # fmt: skip


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _places(inner, (*at, key))


def _inside(value: Any, at: tuple[Any, ...]) -> Any:
    for key in at:
        value = value[key]
    return value


@st.composite
def study_contents(draw: st.DrawFn) -> Any:
    """A valid study of which some values were replaced, removed or added."""
    content: Any = copy.deepcopy(STUDY)
    for _ in range(draw(st.integers(1, 3))):
        paths = list(_places(content))
        at = draw(st.sampled_from(paths))
        deed = draw(st.sampled_from(["replace", "replace", "remove", "add", "multiply"]))
        here = _inside(content, at)
        if deed == "add" and isinstance(here, (dict, list)):
            if isinstance(here, dict):
                here[draw(st.sampled_from(FIELDS))] = draw(values)
            else:
                here.append(draw(values))
        elif deed == "multiply" and isinstance(here, list):
            here *= draw(st.sampled_from([2, 30, 400]))
        elif not at:
            content = draw(values) if draw(st.integers(0, 9)) == 0 else content
        elif deed == "remove":
            del _inside(content, at[:-1])[at[-1]]
        else:
            _inside(content, at[:-1])[at[-1]] = draw(values)
        if not isinstance(content, dict):
            break
    return content


def to_yaml(value: Any) -> str:
    """Write a value in YAML's flow style, with what JSON has no form for."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{to_yaml(key)}: {to_yaml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(to_yaml, value)) + "]"
    if isinstance(value, float):
        return {"nan": ".nan", "inf": ".inf", "-inf": "-.inf"}.get(repr(value), repr(value))
    return json.dumps(value)


def study_text(content: dict[Any, Any]) -> str:
    """Write a study file, a field a line."""
    return "".join(f"{to_yaml(key)}: {to_yaml(value)}\n" for key, value in content.items())


@st.composite
def study_texts(draw: st.DrawFn) -> str:
    """The text of a study file: a changed study, sometimes with its text changed too; rarely, any text."""
    if draw(st.integers(0, 14)) == 0:
        return draw(st.text(max_size=200) | st.lists(st.sampled_from(SNIPPETS), max_size=6).map("\n".join))
    content = draw(study_contents())
    text = study_text(content) if isinstance(content, dict) else to_yaml(content)
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        snippet = draw(st.sampled_from(SNIPPETS) | st.text(max_size=4))
        place = draw(st.integers(0, len(text)))
        at_line = text.rfind("\n", 0, place) + 1
        where = draw(st.sampled_from([place, at_line, text.find(": ", place) + 2]))
        text = text[:where] + snippet + draw(st.sampled_from(["", " ", "\n"])) + text[where:]
    return text


FOLDERS = [
    "results",
    "out",
    "taken",
    "taken/x",
    "../../up",
    "",
    ".",
    "\x00",
    "/proc/x",
    "x" * 300,
    "/" + "y/" * 3000,
]

SOURCES = ["runs.csv", "mlflow:x", "mlflow:", "json:.", "wandb:folder.yaml", "tensorboard:.", "csv:", "optuna:x.db#y",
           "optuna:sqlite:///", "optuna:://#", "optuna:#", ".", "x:y", "small.yaml", "", "-"]  # fmt: skip
STUDY_WORDS = ["small.yaml", "smoke", "smoek", "quickstart", "absent.yaml", "folder.yaml", ".yaml",
               "..yaml", "../../x.yaml",
               "bytes.yaml", "x" * 300 + ".yaml", "\x00.yaml", "-", "", "--", "é.yaml", "small",
               "a b.yaml", "small.yaml/"]  # fmt: skip

_set_fields = st.sampled_from(
    ["title", "seeds", "axes", "axes.squeeze", "axes.reduction", "axes.recipe.lr", "axes.recipe.lr.x",
    "recipe",
     "recipe.epochs", "recipe.lr", "recipe.batch_size", "recipe.milestones", "baseline", "baseline.variant",
     "baseline.variant.reduction", "baseline.data.train_images", "baseline.data.name", "baseline.backbone",
     "design",
     "margin", "plugins", "name", "typed", "", ".", "..", "a.b.c.d", "axes.", "recipe..", "overrides",
     "paper_tables"]
)  # fmt: skip
_set_values = st.one_of(values.map(to_yaml), st.sampled_from(SNIPPETS), st.sampled_from(NAMES))
changes = st.one_of(
    st.builds(lambda field, value: f"{field}={value}", _set_fields, _set_values),
    st.sampled_from(NAMES),
    st.text(max_size=10),
)
numbers = st.one_of(
    st.integers(-2, 12).map(str),
    st.sampled_from(
        ["10000", "10001", "999999999999", "1e3", "nan", "inf", "-inf", "", "1_0", "0x1", "٣", "1e308"]
    ),
)

_STUDY_OPTIONS: dict[str, st.SearchStrategy[str]] = {
    "--set": changes,
    "--seeds": numbers,
    "--plugin": st.sampled_from(["absent.py", "folder.yaml", "", "small.yaml", "bytes.yaml", "\x00",
        "~x/y.py", "/dev/null"]),
    "--results-dir": st.sampled_from(FOLDERS),
    "--reports-dir": st.sampled_from(FOLDERS),
}  # fmt: skip
_names = st.sampled_from(NAMES)
_SWEEP_OPTIONS: dict[str, st.SearchStrategy[str]] = {
    "--workers": numbers,
    "--trial-timeout": numbers,
    "--tracking-uri": st.sampled_from(
        ["", "x", "sqlite:///", "http://", "sqlite:///\x00", "file:x", "://", "ftp://x"]
    ),
    "--data-dir": st.sampled_from(FOLDERS),
    "--no-tracking": st.just(""),
    "--fresh": st.just(""),
    "--only": _names | st.sampled_from(["SE r=8", "plain"]),
}
_complexity = {
    "--backbone": _names,
    "--variant": _names,
    "--size": st.sampled_from(["0", "8", "31", "64", "1e9", "nan", "-8", "x"]),
    "--classes": numbers,
    "--json": st.just(""),
    "--plugin": _STUDY_OPTIONS["--plugin"],
    "--batch": numbers,
    "--threads": numbers,
}
_tables = st.sampled_from(["table_1", "table_99", "table_", "1", "", "x"])
_EXPECTED = st.sampled_from(
    ["plain: better", "plain: not worse", "se: x", ":", "", "a: b: better or", "\x00"]
)
COMMANDS: dict[str, tuple[st.SearchStrategy[str], dict[str, st.SearchStrategy[str]]]] = {
    "plan": (
        st.sampled_from(STUDY_WORDS),
        {**_STUDY_OPTIONS, "--workers": numbers, "--data-dir": st.sampled_from(FOLDERS), "--sd": numbers,
         "--rho": numbers, "--pilot": _names | st.sampled_from(STUDY_WORDS), "--detect": numbers,
         "--json": st.just(""), "--seal": st.just(""), "--primary": _names | st.just("plain,SE")},
    ),
    "calibrate": (
        st.sampled_from(STUDY_WORDS),
        {**_STUDY_OPTIONS, "--resamples": st.sampled_from(["0", "100", "99", "-1", "nan", "1e9", "x", ""])},
    ),
    "status": (st.sampled_from(STUDY_WORDS), {**_STUDY_OPTIONS, "--json": st.just("")}),
    "run": (st.sampled_from(STUDY_WORDS), {**_STUDY_OPTIONS, **_SWEEP_OPTIONS}),
    "report": (
        st.sampled_from(STUDY_WORDS),
        {**_STUDY_OPTIONS, "--format": st.sampled_from(["md", "html", "latex,md", "", ",", "pdf", "\x00"]),
         "--pairs": _names, "--json": st.just(""), "--expect": _EXPECTED},
    ),
    "list": (
        st.sampled_from(["squeeze", "gate", "backbone", "x", "", "\x00"]),
        {"--plugin": _STUDY_OPTIONS["--plugin"], "--json": st.just("")},
    ),
    "complexity": (_tables, _complexity),
    "schema": (st.just(""), {}),
    "studies": (st.just(""), {}),
    "why": (st.sampled_from(STUDY_WORDS), {**_STUDY_OPTIONS, "0123": st.just("")}),
    "retry": (st.sampled_from(STUDY_WORDS), {**_STUDY_OPTIONS, "--kind": _names | st.just("oom")}),
    "reproduce": (st.sampled_from(STUDY_WORDS), {**_STUDY_OPTIONS, "0123": st.just("")}),
    "doctor": (
        st.sampled_from(STUDY_WORDS),
        {"--results-dir": st.sampled_from(FOLDERS), "--data-dir": st.sampled_from(FOLDERS),
         "--no-tracking": st.just(""), "--tracking-uri": _SWEEP_OPTIONS["--tracking-uri"], "--json": st.just("")},
    ),
    "data": (
        st.just("prepare"),
        {"--from": st.sampled_from([*FOLDERS, *STUDY_WORDS]), "--path": _names, "--size": numbers,
         "--data-dir": st.sampled_from(FOLDERS), "digits": st.just(""), "cifar10": st.just(""),
         "image-folder": st.just(""), "svhn": st.just(""), "mnist": st.just(""), "imagenette": st.just("")},
    ),
    "probe": (
        st.sampled_from(STUDY_WORDS),
        {**_STUDY_OPTIONS, "--only": _names, "--class": _names, "--images-per-class": numbers,
         "--leave-out": st.sampled_from([*FOLDERS, "fewer.yaml"]), "--format": st.sampled_from(["md", "", "pdf"]),
         "--again": st.just(""), "--json": st.just(""), "--data-dir": st.sampled_from(FOLDERS)},
    ),
    "test": (
        st.sampled_from(STUDY_WORDS),
        {**_STUDY_OPTIONS, "--only": _names | st.sampled_from(["SE r=8", "plain"]), "--crops": numbers | st.just("144"),
         "--size": numbers, "--short": numbers, "--flip": st.just(""),
         "--ensemble": st.sampled_from(["seeds", "rows", "", "x"]), "--json": st.just(""),
         "--images": _names | st.sampled_from(["cifair10", "cifar10-c", "cifar10-c/fog", "cifar10-c/", "/"]),
         "--from": st.sampled_from([*FOLDERS, *STUDY_WORDS]), "--data-dir": st.sampled_from(FOLDERS)},
    ),
    "import": (
        st.sampled_from(SOURCES),
        {"small.yaml": st.just(""), "absent.yaml": st.just(""), **_STUDY_OPTIONS,
         "--setting": _names | st.just("lr=x"), "--metric": _names | st.just("error=value"), "--seed": _names,
         "--pattern": _names | st.sampled_from(["{variant}", "{"]), "--at": numbers | st.just("best"), "--unit": _names,
         "--tracking-uri": _SWEEP_OPTIONS["--tracking-uri"], "--dry-run": st.just("")},
    ),
    "analyse": (
        st.sampled_from(SOURCES),
        {"--variant": _names, "--metric": _names, "--goal": _names | st.just("maximise"), "--unit": _names,
         "--at": numbers | st.just("best"), "--pattern": _names | st.sampled_from(["{variant}", "{", "{}", "{a}*{b}"]),
         "--tracking-uri": _SWEEP_OPTIONS["--tracking-uri"],
         "--baseline": st.sampled_from(["se", "plain", *NAMES]), "--margin": numbers, "--value-column": _names,
         "--task-column": _names, "--seed-column": _names, "--pairs": st.just(""), "--higher-is-better": st.just(""),
         "--out": st.sampled_from(FOLDERS), "--json": st.just(""), "--expect": _EXPECTED},
    ),
    "check-plugin": (st.sampled_from(["absent.py", "", "\x00", "small.yaml", "/dev/null", "folder.yaml"]),
        {}),
}  # fmt: skip


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """The words of a command line: a command, its argument, and options of it or of none."""
    name = draw(st.sampled_from(list(COMMANDS)))
    argument, options = COMMANDS[name]
    words = [name]
    if draw(st.integers(0, 9)):
        words.append(draw(argument))
    for _ in range(draw(st.integers(0, 3))):
        if not options or draw(st.integers(0, 19)) == 0:
            words.append(draw(_names | st.sampled_from(["--", "-", "--x", "--set", "--json=1", "-h=1"])))
            continue
        option = draw(st.sampled_from(sorted(options)))
        words += (
            [option, draw(options[option])] if draw(st.booleans()) else [f"{option}={draw(options[option])}"]
        )
    # no system passes a null byte, nor half of a character
    passed = [word for word in words if "\x00" not in word and not re.search("[\ud800-\udfff]", word)]
    return [word for word in passed if word != "" or draw(st.booleans())]
