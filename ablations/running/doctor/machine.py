"""Checks of the machine: free disk space, devices, packages and plug-ins."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, metadata, requires
from pathlib import Path

from ablations.running.doctor.finding import Finding, ok, problem, warning
from ablations.running.machine.cores import available_cores
from ablations.running.machine.packages import package_version
from ablations.running.machine.processor import processor_name
from senet_core.errors import UserError, typed_line
from senet_core.plugins import GROUP, load_installed_plugins
from senet_core.words import counted

PROJECT = "senet-ablations"
GIB = 2**30
ENOUGH_BYTES = GIB
"""More than checkpoints, records and a database need; a data set may need more."""


def check_disk(*folders: Path) -> Iterator[Finding]:
    """Yield the free space of each disk that folders are on."""
    for folder in dict.fromkeys(_nearest(folder) for folder in folders):
        try:
            free = shutil.disk_usage(folder).free
        except OSError as error:
            yield problem(f"cannot look at {folder}: {error.strerror or error}", "see that the disk is there")
            continue
        shown = f"{free / GIB:.1f} GiB free for {folder}"
        yield (
            ok(shown)
            if free >= ENOUGH_BYTES
            else warning(f"only {shown}", "make room, or name another place by `results_dir` or `data_dir`")
        )


def check_devices() -> Iterator[Finding]:
    """Yield what trials would be trained on, and whether torch and torchvision work together."""
    try:
        import torch
        from torchvision.ops import nms

        nms(torch.zeros(1, 4), torch.zeros(1), 0.5)  # compiled code that a wrong pair does not find
    except Exception as error:  # a wrong pair fails in many ways
        versions = f"torch {package_version('torch')}, torchvision {package_version('torchvision')}"
        yield problem(
            f"{versions} do not work together: {typed_line(error)[:300]}",
            "install a pair that was made for each other: pip install --upgrade torch torchvision",
        )
        return
    from ablations.running.machine.devices import choose_device, count_gpus, preferred_precision

    device = choose_device()
    if device.type == "cuda":
        named = f"{counted(count_gpus(), 'GPU')} ({torch.cuda.get_device_name(device)})"
    else:
        named = "Apple's GPU" if device.type == "mps" else "no GPU"
    bf16 = "computes" if preferred_precision(device) == "bf16" else "does not compute"
    yield ok(
        f"{counted(available_cores(), 'core')} ({processor_name()}), {named}; {device.type} {bf16} in bf16"
    )
    if device.type == "cpu" and shutil.which("nvidia-smi"):
        yield warning(
            "there is an NVIDIA driver, but torch does not use it",
            "install a torch with CUDA, or see that CUDA_VISIBLE_DEVICES is not empty",
        )


def check_packages() -> Iterator[Finding]:
    """Yield findings on installed packages that the project does not allow, and on plug-ins."""
    try:
        texts = requires(PROJECT) or []
    except PackageNotFoundError:
        yield warning("the project is not installed as a package", "pip install --editable .")
        texts = []
    wrong = [finding for text in texts for finding in _check_requirement(text)]
    yield from wrong
    if texts and not wrong:
        yield ok(f"packages are as {PROJECT} {package_version(PROJECT)} asks")
    yield from check_plugins()


def _check_requirement(text: str) -> Iterator[Finding]:
    from packaging.requirements import Requirement

    wanted = Requirement(text)
    needed = wanted.marker is None or wanted.marker.evaluate({"extra": ""})
    extras = metadata(PROJECT).get_all("Provides-Extra") or []
    if not needed and not any(wanted.marker.evaluate({"extra": extra}) for extra in extras if wanted.marker):
        return  # for another Python or system
    have = package_version(wanted.name)
    mend = f"pip install '{wanted.name}{wanted.specifier}'"
    if not have and needed:
        yield problem(f"package {wanted.name} is missing", mend)
    elif have and not wanted.specifier.contains(have, prereleases=True):
        say = problem if needed else warning
        yield say(f"package {wanted.name} is {have}, {wanted.specifier} is needed", mend)


def check_plugins() -> Iterator[Finding]:
    """Yield which plug-ins of installed packages were loaded and which fail."""
    points = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    try:
        origins = load_installed_plugins()
    except UserError as first:
        failing = [finding for point in points for finding in _check_entry_point(point)]
        yield from failing or [problem(str(first), "mend or remove the package")]
        return
    if origins:
        yield ok(f"plug-ins of installed packages: {', '.join(origin.name for origin in origins)}")


def _check_entry_point(point: EntryPoint) -> Iterator[Finding]:
    package = point.dist.name if point.dist else point.name
    try:
        point.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # foreign code may raise anything
        yield problem(
            f"plug-in {package} ({point.value}) fails when loaded: {typed_line(error)[:300]}",
            f"mend it, or: pip uninstall {package}",
        )


def _nearest(folder: Path) -> Path:
    """Return the folder or its nearest parent that exists."""
    place = folder.absolute()
    while not os.path.exists(place) and place != place.parent:
        place = place.parent
    return place
