"""Whatever a study file or a command line says, it is accepted, or refused by one line with status 2, and soon."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from fuzzing import COMMANDS, STUDY, command_lines, study_text, study_texts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ablations import cli
from ablations.planning.designs import sizes
from ablations.running.data import preparation
from ablations.running.sweep import sweep
from ablations.running.sweep.values import SweepOutcome
from senet_core.errors import UserError

LONGEST_SECONDS = 60
STOPPED = 130
"""How `run` and its like end here: the sweep behind them is one that was stopped before it began."""

EASY = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
FAST: Any = settings(max_examples=50, derandomize=True, **EASY)
SLOW_STUDIES: Any = settings(max_examples=1500, **EASY)
SLOW_WORDS: Any = settings(max_examples=800, **EASY)
READING = st.sampled_from(["status", "status", "status", "plan", "run"])


class TooLong(BaseException):
    """Nothing that the command line catches."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder inside folders, so that what is written above it is seen; no network, and no training."""
    top = tmp_path_factory.mktemp("fuzz")
    here = top / "a" / "b"
    (here / "folder.yaml").mkdir(parents=True)
    (here / "taken").write_text("a file", encoding="utf-8")
    (here / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    (here / "runs.csv").write_text(
        "variant,seed,value\nse,0,1\nse,1,2\nplain,0,x\nplain,1,\n", encoding="utf-8"
    )

    def no_network(*given: object) -> Path:
        raise UserError("the network is not to be used")

    def stopped(*given: Any, **options: Any) -> SweepOutcome:
        return SweepOutcome(given[1].open_record().trials, 0, 0, 1, signal.SIGINT)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        patch.setenv("HOME", str(here))
        patch.setenv("ABLATE_CALIBRATE", "0")
        patch.setattr(preparation, "fetch", no_network)
        patch.setattr(sweep, "sweep", stopped)
        yield top


@contextmanager
def _bounded() -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(LONGEST_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def check(place: Path, words: list[str]) -> int:
    """Call a command line and hold it to its promise."""
    out, err = io.StringIO(), io.StringIO()
    with _bounded(), redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        cli.main(words)
    status, said = int(ended.value.code or 0), err.getvalue()
    if status == 2:
        [line] = said.splitlines()
        assert line.startswith("ablate: ")
        assert len(line) > len("ablate: x")
    else:
        accepted = {0, 1} if words[:1] == ["doctor"] else {0, STOPPED}
        assert status in accepted, (status, said)
        assert said == ""
    assert os.listdir(place) == ["a"]
    assert os.listdir(place / "a") == ["b"]
    return status


def check_study(place: Path, text: str, command: str) -> None:
    # half of a character cannot be written; what stands for it is no text in UTF-8
    (place / "a" / "b" / "small.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    check(place, [command, "small.yaml", *(["--no-tracking"] if command == "run" else [])])


def check_words(place: Path, words: list[str]) -> None:
    (place / "a" / "b" / "small.yaml").write_text(study_text(STUDY), encoding="utf-8")
    check(place, words)


def test_the_study_that_is_changed_is_accepted(place: Path) -> None:
    (place / "a" / "b" / "small.yaml").write_text(study_text(STUDY), encoding="utf-8")
    assert check(place, ["plan", "small.yaml"]) == 0
    assert check(place, ["run", "small.yaml", "--no-tracking"]) == STOPPED


def test_every_command_is_fuzzed() -> None:
    assert set(cli.COMMANDS) - set(COMMANDS) <= {
        "ui",
        "sync",
        "bench",
        "dashboard",
        "paper",
        "init",
    }  # these serve, write to a server, take minutes, work on the project's own documents, or make new files


@FAST
@given(text=study_texts(), command=READING)
def test_study_files(place: Path, text: str, command: str) -> None:
    check_study(place, text, command)


@FAST
@given(words=command_lines())
def test_command_lines(place: Path, words: list[str]) -> None:
    check_words(place, words)


@pytest.mark.slow
@SLOW_STUDIES
@given(text=study_texts(), command=READING)
def test_many_study_files(place: Path, text: str, command: str) -> None:
    check_study(place, text, command)


@pytest.mark.slow
@SLOW_WORDS
@given(words=command_lines())
def test_many_command_lines(place: Path, words: list[str]) -> None:
    check_words(place, words)


LONG = [0.001 * (i + 1) for i in range(1000)]
MOMENTA = [0.1 + i / 2000 for i in range(1000)]
HEX = "0x" + "f" * 5000
DIGITS = {"backbone": "resnet8", "data": "digits"}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a grid of 10^9 rows": (
        {"design": "grid", "axes": {"recipe.lr": LONG, "recipe.momentum": MOMENTA, "recipe.weight_decay": LONG}},
        "of axes with 1000, 1000, 1000 values has 1,000,000,000 rows; at most 5,000",
    ),
    "long axes": ({"axes": {"recipe.lr": [0.001 * i for i in range(1, 6000)]}}, "has 5,999 rows; at most 5,000"),
    "pairs": (
        {"design": "pairwise", "axes": {"recipe.lr": LONG[:100], "recipe.momentum": MOMENTA[:100]}},
        "has 10,000 pairs of values to cover; at most 5,000: vary less",
    ),
    "seeds": ({"seeds": 10_000, "axes": {"recipe.lr": LONG}}, "are 10,000,000 trials; at most 100,000"),
    "epochs": ({"recipe": {"base": "cifar-quick", "epochs": 1e308}}, "epochs must be at most 1e+06, got 1e+308"),
    "iterations": ({"recipe": {"base": "cifar-quick", "iterations": 10**12}}, "iterations must be at most 1e+09"),
    "size": (
        {"baseline": {**DIGITS, "data": {"name": "image-folder", "path": "x", "size": 10**9}}},
        "size must be at most 16384, got 1000000000",
    ),
    "reduction": ({"axes": {"reduction": [10**30]}}, "a whole number of more than 63 bits, line"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("command", ["status", "plan"])
def test_what_nobody_can_mean_is_refused_at_once(
    place: Path, capsys: pytest.CaptureFixture[str], case: str, command: str
) -> None:
    changed, expected = REFUSED[case]
    (place / "a" / "b" / "small.yaml").write_text(study_text({**STUDY, **changed}), encoding="utf-8")
    with _bounded(), pytest.raises(SystemExit) as ended:
        cli.main([command, "small.yaml"])
    assert ended.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert expected in line


@pytest.mark.parametrize("field", ["seeds", "title", "margin", "design", "plugins", "axes"])
def test_a_number_too_long_to_be_printed_is_refused(place: Path, field: str) -> None:
    text = study_text({key: value for key, value in STUDY.items() if key != field})
    (place / "a" / "b" / "small.yaml").write_text(f"{text}{field}: {HEX}\n", encoding="utf-8")
    assert check(place, ["status", "small.yaml"]) == 2


@pytest.mark.slow
def test_studies_at_the_limits_are_accepted(place: Path) -> None:
    axes = {"recipe.lr": LONG[:70], "recipe.momentum": MOMENTA[:70]}
    changed = {"design": "grid", "axes": axes, "seeds": 20}
    assert sizes.MOST_ROWS >= 70 * 70
    assert sizes.MOST_TRIALS >= 70 * 70 * 20
    (place / "a" / "b" / "small.yaml").write_text(study_text({**STUDY, **changed}), encoding="utf-8")
    assert check(place, ["status", "small.yaml"]) == 0


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a\0b", "null byte"), ("~nobody-such/x", "home"), ("x" * 5000, "too long"), ("x", "no file")],
)
def test_the_path_of_an_image_folder_that_can_be_none(
    place: Path, capsys: pytest.CaptureFixture[str], path: str, expected: str
) -> None:
    data = {"name": "image-folder", "path": path, "size": 32}
    content = {**STUDY, "baseline": {**DIGITS, "data": data}, "axes": {"squeeze": ["avg", "max"]}}
    (place / "a" / "b" / "small.yaml").write_text(study_text(content), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", "small.yaml", "--no-tracking"])
    assert ended.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert expected in line


@pytest.mark.parametrize(
    "value",
    [
        "!!bool maybe",
        "!!bool",
        "!!int ''",
        "!!float x",
        "!!timestamp x",
        "!!binary é",
        "!!set [a]",
        "!!omap a",
    ],
)
def test_a_value_that_is_not_what_its_tag_says_is_refused(place: Path, value: str) -> None:
    text = study_text({key: inner for key, inner in STUDY.items() if key != "title"})
    (place / "a" / "b" / "small.yaml").write_text(f"title: {value}\n{text}", encoding="utf-8")
    assert check(place, ["status", "small.yaml"]) == 2
