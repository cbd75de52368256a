"""`ablate data`: make data sets ready."""

from __future__ import annotations

from pathlib import Path

import click

from ablations.commands.shared import options


@click.group("data")
def command() -> None:
    """Make data sets ready for training."""


@command.command("prepare")
@click.argument("name")
@click.option("--from", "source", type=click.Path(path_type=Path), help="A folder or archive of yours.")
@click.option("--path", help="For image-folder: the folder of the images, in ImageNet's layout.")
@click.option("--size", type=int, help="For images of many sizes: the side that they get, in pixels.")
@click.option(
    "--download",
    is_flag=True,
    help="Let torchvision download what is missing, into the folder of --from if given.",
)
@click.option(
    "--refresh", is_flag=True, help="Read again what was prepared before, and say whether it is the same."
)
@options.data_dir
def prepare_data(
    name: str,
    source: Path | None,
    path: str | None,
    size: int | None,
    download: bool,
    refresh: bool,
    data_dir: Path,
) -> None:
    """Make data set NAME ready for training.

    It is made from a folder or archive of yours, else from torchvision's download. A folder or archive (.tar.xz,
    .tar.gz, .zip) holds images as train/CLASS/... and test/CLASS/..., or the original python batches of CIFAR. For data
    sets that torchvision's classes read, it is the folder that torchvision calls root; nothing is downloaded without
    --download.
    """
    from ablations.running.data import data_spec, prepare
    from ablations.running.data import refresh as prepare_again

    spec, before = data_spec(name, path=path, size=size), None
    if refresh:
        prepared, before = prepare_again(spec, data_dir, source, download=download)
    else:
        prepared = prepare(spec, data_dir, source, download=download)
    click.echo(
        f"{prepared.name}: {len(prepared.train_labels):,} training and {len(prepared.test_labels):,} test images,"
        f" {prepared.num_classes} classes, digest {prepared.digest[:12]}, in {prepared.path}"
    )
    if before == prepared.digest:
        click.echo("the images are the same as before: records of them go on")
    elif before is not None:
        click.echo(
            f"the images are others than before (digest {before[:12]}): a study with trials of those asks for --fresh,"
            " or another --results-dir"
        )
    if prepared.note:
        click.echo(f"note: {prepared.note}")
