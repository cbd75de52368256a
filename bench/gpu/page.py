"""The page of what `bench/gpu.sh` found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from ablations.analysis.tables.cells import Number, TableCell, Text
from ablations.running.machine.cuda.mps import MPS, TURNS
from ablations.running.machine.durations import duration_text
from bench.gpu.training import NETWORK
from bench.pages import markdown_table
from senet_core.words import counted

DRY = (
    "**A dry run on a processor**, at a hundredth of the size: the script runs, and its numbers mean nothing."
)

LEGEND = (
    "`busy` is the share of a step in which the GPU computes, `kernels` how many it runs in one, `launches` the "
    "calls that start them, of which one starts a whole graph, all by the profiler. `of the limit` is what a step "
    "computes, six operations for each multiply-add of the network, beside what a large matrix product of the "
    "same precision makes here in its time. Medians of rounds in turns."
)


def page(found: Sequence[Mapping[str, Any]], machine: Mapping[str, Any], *, dry: bool) -> str:
    """Return the page in Markdown.

    Args:
        found: of each measurement its `part` and `title`, and what it printed, `answer`, or why not, `left_out`.
        machine: the environment.
        dry: whether this was a dry run.
    """
    versions = ", ".join(
        f"{name} {machine[field]}"
        for name, field in (
            ("PyTorch", "torch_build"),
            ("CUDA", "cuda"),
            ("cuDNN", "cudnn"),
            ("driver", "driver"),
        )
        if machine.get(field)
    )
    parts = [
        f"# The GPU path on {machine['device']}",
        *([DRY] if dry else []),
        f"{NETWORK}, images of 32 x 32 pixels in batches of 128. {versions or 'PyTorch ' + machine['torch']}.",
        "## Whether it is right",
        _checks(found),
        "## How fast one training is",
        _speeds(found),
        LEGEND,
        "## Several trainings at once on one GPU, in processes",
        _together(found),
        "## Time to an accuracy",
        _accuracy(found),
        "## A whole study",
        _section6(found),
    ]
    left = [f"- {each['part']}, {each['title']}: {each['left_out']}" for each in found if "left_out" in each]
    if left:
        parts += ["## Left out", "\n".join(left)]
    return "\n\n".join(parts) + "\n"


def failures(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what is not right, by name."""
    return [check["what"] for check in _of(found, "checks", "checks") if not check["passed"]]


def _checks(found: Sequence[Mapping[str, Any]]) -> str:
    rows: list[tuple[TableCell, ...]] = [
        (Text(check["what"]), Text("yes" if check["passed"] else "NO"), Text(check["said"]))
        for check in _of(found, "checks", "checks")
    ]
    return markdown_table(("check", "passed", "seen"), rows) if rows else "It was not checked."


def _speeds(found: Sequence[Mapping[str, Any]]) -> str:
    rounds: dict[str, list[Mapping[str, Any]]] = {}
    for each in found:
        if each["part"] == "speed" and "answer" in each:
            rounds.setdefault(each["title"], []).append(each["answer"])
    rows: list[tuple[TableCell, ...]] = []
    for title, answers in rounds.items():

        def middle(field: str, answers: list[Mapping[str, Any]] = answers) -> float | None:
            known = [answer[field] for answer in answers if answer[field] is not None]
            return median(known) if known else None

        rows.append(
            (
                Text(title),
                Text(answers[-1]["graph"]),
                Number(len(answers), 0),
                Number(middle("images_per_second"), 0),
                Number(middle("step_ms"), 3),
                Number(middle("busy"), 2),
                Number(middle("kernels_in_a_step"), 0),
                Number(middle("launches_in_a_step"), 0),
                Number(middle("tflops"), 2),
                Number(middle("share_of_product"), 3),
            )
        )
    heads = (
        "what",
        "from a graph",
        "rounds",
        "images/s",
        "step, ms",
        "busy",
        "kernels",
        "launches",
        "TFLOP/s",
        "of the limit",
    )
    return markdown_table(heads, rows) if rows else "It was not measured."


def _together(found: Sequence[Mapping[str, Any]]) -> str:
    rows: list[tuple[TableCell, ...]] = [
        (
            Text(each["title"]),
            Text("with MPS" if each["answer"]["how"] == MPS else "in turns"),
            Number(each["answer"]["images_per_second"], 0),
            Number(each["answer"]["late"], 0),
        )
        for each in found
        if each["part"] == "at once" and "answer" in each
    ]
    heads = ("trainings", "how", "images/s of all", "of them begun late")
    return markdown_table(heads, rows) if rows else "It was not measured."


def _accuracy(found: Sequence[Mapping[str, Any]]) -> str:
    answers = [each["answer"] for each in found if each["part"] == "accuracy" and "answer" in each]
    if not answers:
        return "It was not measured."
    rows: list[tuple[TableCell, ...]] = []
    for answer in answers:
        for target, seconds in answer["seconds_to"].items():
            reached = (
                Text(f"not in {counted(answer['epochs'], 'epoch')}")
                if seconds is None
                else Number(seconds, 1)
            )
            rows.append((Text(f"{target} %"), reached, Number(answer["best"], 1)))
    return markdown_table(("accuracy", "seconds of training", "best, %"), rows)


def _section6(found: Sequence[Mapping[str, Any]]) -> str:
    answers = [each["answer"] for each in found if each["part"] == "section6" and "answer" in each]
    if not answers:
        return "It was not measured."
    [each] = answers
    how = {MPS: " with MPS", TURNS: " in turns"}.get(each["sharing"], "")
    timed, *whole = map(duration_text, (each["timed_seconds"], *each["estimated_seconds"]))
    first, most = each["seeds"]
    beyond = "" if first == most else f", and {whole[1]} for all {most}, if its race comes to them"
    size, trials = f"{each['rows']} rows of {each['epochs']:g} epochs", counted(each["timed_trials"], "trial")
    said = (
        f"`section6`, {size}, {each['together']} at once{how}: about {whole[0]} for {counted(first, 'seed')}{beyond}."
        f" This is an estimate: {trials} of two short epochs, one of each row, took {timed}, the probe and the start of"
        " the workers included."
    )
    return " ".join([said, *(f"{line[:1].upper()}{line[1:]}." for line in each["said"])])


def _of(found: Sequence[Mapping[str, Any]], part: str, field: str) -> list[Mapping[str, Any]]:
    return [
        one for each in found if each["part"] == part and "answer" in each for one in each["answer"][field]
    ]
