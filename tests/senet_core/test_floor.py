"""Where the floor of one hidden unit acts, in sentences."""

from __future__ import annotations

from senet_core import SEVariant
from senet_core.floor import Bottlenecks, floor_notes, width_text

CHANNELS = {2: (16, 16), 3: (16, 32), 4: (32, 64)}


def pre(reduction: int) -> Bottlenecks:
    """A network of two units in a stage, gated at their inputs."""
    variant = SEVariant(reduction=reduction, integration="pre")
    widths = {stage: tuple(variant.width(c, stage) for c in counts) for stage, counts in CHANNELS.items()}
    return Bottlenecks(f"SE-PRE r={reduction}", "resnet14", variant, widths, CHANNELS)


def test_one_unit_is_the_floor_only_where_there_are_fewer_channels_than_r() -> None:
    assert [pre(16).floored(stage) for stage in CHANNELS] == [0, 0, 0]
    assert [pre(32).floored(stage) for stage in CHANNELS] == [2, 1, 0]
    assert floor_notes([pre(16)]) == ()


def test_a_stage_is_told_from_some_of_its_blocks() -> None:
    assert floor_notes([pre(32)]) == (
        "Stage 2 has fewer than r = 32 channels: the bottleneck has one unit there, the least possible, and not the "
        "C/r of the paper.",
        "In stage 3 of SE-PRE r=32, 1 of 2 blocks weigh fewer than r = 32 channels and have one unit, the least "
        "possible; the others have C/r.",
    )


def test_equal_widths_are_said_by_stage_and_whole_networks_by_name() -> None:
    notes = floor_notes([pre(16), pre(32), pre(128), pre(256)])
    assert "In stage 2, r = 16 and r = 32 have the same bottleneck width." in notes
    assert (
        "SE-PRE r=128 and SE-PRE r=256 have equal bottleneck widths in every stage: they are one network under two "
        "names, and a difference between them is chance."
    ) in notes
    assert len(set(notes)) == len(notes)


def test_widths_are_written_by_stage_with_runs_where_a_stage_has_several() -> None:
    assert width_text({2: (1, 1), 3: (1, 2, 2), 4: (4,)}) == "1/1,2×2/4"
    assert width_text({}) is None
