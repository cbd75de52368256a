"""`bench/gpu.sh`: check the GPU path, measure it, and write down what was found."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import click

from ablations.cli import run_command
from ablations.running.machine.cuda.device import prepare_device
from ablations.running.machine.environment import describe_environment
from ablations.running.machine.kernels import NO_KERNELS
from bench.contenders.entries import ROOT
from bench.gpu.page import failures, page
from bench.gpu.steps import ROUNDS, Measurement, measurements
from bench.gpu.training import device_here
from senet_core.errors import UserError, one_line

FIGURES, PAGE = "gpu.json", "gpu.md"
RESULTS = ROOT / "results" / "bench"
LEAST_SECONDS = 20.0
"""With less time than this nothing more is begun."""


@click.command("gpu.sh")
@click.option("--dry", is_flag=True, help="Each step on the CPU at a hundredth of its size.")
@click.option(
    "--minutes", type=click.FloatRange(min=0.1), default=7.5, show_default=True, help="For all steps."
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for what is found.")
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Prepared CIFAR-10, for the accuracy.",
)
def command(dry: bool, minutes: float, out: Path | None, data: Path | None) -> int:
    """Check the GPU path, measure it, and write results/bench/gpu.json and gpu.md, a page, in place of the last ones.

    A dry run writes into a temporary folder. Status 0: all checks passed; 1: one did not, or could not be made.
    """
    if dry and out is not None and RESULTS in (out.resolve(), *out.resolve().parents):
        raise UserError(f"`--out` of a dry run is no place in {RESULTS}: what it finds means nothing")
    device = device_here(dry=dry)
    if device.type != "cuda" and not dry:
        raise UserError(
            "there is no NVIDIA GPU that PyTorch can use; give `--dry` to try the script on the processor"
        )
    settings = prepare_device(device, "fp32")
    machine = {
        **describe_environment(device=device, precision="", threads=1, kernels=NO_KERNELS),
        **settings,
    }
    folder = out or (Path(tempfile.mkdtemp(prefix="bench-gpu-dry-")) if dry else RESULTS)
    prepared = Path("data/cifar10.safetensors")
    data = data or (prepared if prepared.is_file() else None)
    until, found = time.monotonic() + 60 * minutes, list[dict[str, Any]]()
    for step in measurements(1 if dry else ROUNDS):
        entry = _taken(step, until, data, dry=dry)
        found.append(entry)
        click.echo(
            f"{step.part}: {step.title}: {entry.get('left_out') or 'done'} ({entry.get('seconds', 0):g} s)"
        )
        _write(folder, found, machine, dry=dry)  # what is there when the machine is taken away
    wrong = failures(found)
    click.echo(f"written     {folder / PAGE}")
    for what in wrong:
        click.echo(f"NOT RIGHT   {what}")
    return 1 if wrong or not any("answer" in each for each in found if each["part"] == "checks") else 0


def _taken(step: Measurement, until: float, data: Path | None, *, dry: bool) -> dict[str, Any]:
    """Take a step, if there is time and what it needs; returns what it printed, or why it was left out."""
    entry: dict[str, Any] = {"part": step.part, "title": step.title, "words": step.words}
    began = time.monotonic()
    images = data if step.part in ("accuracy", "section6") and not dry else None
    if step.part == "accuracy" and images is None and not dry:
        return {**entry, "left_out": "CIFAR-10 is not prepared here; give it with --data"}
    if until - began < LEAST_SECONDS:
        return {**entry, "left_out": "the time was over"}
    try:
        patience = min(step.budget_seconds, until - began)
        entry["answer"] = step.run(dry=dry, data=images, patience_seconds=patience)
    except UserError as error:
        entry["left_out"] = one_line(error)
    return {**entry, "seconds": round(time.monotonic() - began, 1)}


def _write(folder: Path, found: list[dict[str, Any]], machine: dict[str, Any], *, dry: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = {"dry": dry, "command": "bench/gpu.sh", "environment": machine, "found": found}
    (folder / FIGURES).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    commit = f"commit {machine['commit']}{' with changes' if machine.get('dirty') else ''}"
    text = f"{page(found, machine, dry=dry)}\n`bench/gpu.sh`, {commit}.\n"
    (folder / PAGE).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    run_command(command, "bench/gpu.sh")
