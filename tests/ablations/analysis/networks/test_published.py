"""The paper's figures stand beside the variants that they belong to."""

from __future__ import annotations

import pytest

from ablations.analysis.networks.published import caveat, cifar_row, paper_row, paper_table
from senet_core.errors import UserError
from senet_core.variants.variant import PAPER_SE, SEVariant


@pytest.mark.parametrize(
    ("changes", "table", "top1", "top5"),
    [
        ({"reduction": 2}, 10, 22.29, 6.00),
        ({"reduction": 4}, 10, 22.25, 6.09),
        ({"reduction": 8}, 10, 22.26, 5.99),
        ({"reduction": 32}, 10, 22.72, 6.20),
        ({"squeeze": "max"}, 11, 22.57, 6.09),
        ({"squeeze": "none"}, 16, 22.93, 6.39),
        ({"excitation": "relu"}, 12, 23.47, 6.98),
        ({"excitation": "tanh"}, 12, 23.00, 6.38),
        ({"stages": (2,)}, 13, 23.03, 6.48),
        ({"stages": (3,)}, 13, 23.04, 6.32),
        ({"stages": (4,)}, 13, 22.68, 6.22),
        ({"integration": "pre"}, 14, 22.23, 6.00),
        ({"integration": "post"}, 14, 22.78, 6.35),
        ({"integration": "identity"}, 14, 22.20, 6.15),
        ({"integration": "conv3x3"}, 15, 22.48, 6.02),
    ],
)
def test_every_ablation_of_section_6_has_its_row(
    changes: dict[str, object], table: int, top1: float, top5: float
) -> None:
    row = paper_row(SEVariant(**changes), next(iter(changes)))  # type: ignore[arg-type]
    assert row is not None
    assert (row.table, row.top1, row.top5) == (table, top1, top5)


@pytest.mark.parametrize(
    ("axis", "table"),
    [("reduction", 10), ("squeeze", 11), ("excitation", 12), ("stages", 13), ("integration", 14), (None, 10)],
)
def test_the_paper_s_se_block_has_a_row_in_every_table(axis: str | None, table: int) -> None:
    row = paper_row(PAPER_SE, axis)
    assert row is not None
    assert (row.table, row.top1, row.top5) == (table, 22.28, 6.03)


@pytest.mark.parametrize(
    "axis", ["reduction", "squeeze", "excitation", "stages", "integration", "bias", None]
)
def test_the_plain_network_has_a_row_for_every_axis(axis: str | None) -> None:
    row = paper_row(None, axis)
    assert row is not None
    assert (row.top1, row.top5) == (23.30, 6.55)


def test_a_study_may_show_some_tables_only() -> None:
    row = paper_row(PAPER_SE, "squeeze", ("table_16",))
    assert row is not None
    assert row.table == 16
    assert paper_row(SEVariant(squeeze="max"), "squeeze", ("table_16",)) is None
    conv = paper_row(SEVariant(integration="conv3x3"), "integration", ("table_15",))
    assert conv is not None
    assert (conv.parameters_millions, conv.giga_multiply_adds) == (25.8, 3.86)


@pytest.mark.parametrize(
    "variant",
    [
        SEVariant(reduction=8, squeeze="max"),
        SEVariant(reduction=64),
        SEVariant(stages=(2, 3)),
        SEVariant(bias=True),
        SEVariant(reduction=((2, 8), (3, 16), (4, 16))),
    ],
)
def test_what_the_paper_has_not_run_has_no_figure(variant: SEVariant) -> None:
    assert paper_row(variant) is None


def test_tables_are_as_printed() -> None:
    for number in range(1, 17):
        table = paper_table(number)
        assert table["source"].startswith("arXiv v4, ")
        assert all(list(row) == table["columns"] for row in table["rows"])
    assert paper_table(4)["rows"][0] == {"model": "ResNet-110", "original": 6.37, "senet": 5.21}
    with pytest.raises(UserError, match=r"unknown table of the paper 17; .*known: 1, 2, 3"):
        paper_table(17)


def test_the_caveat_names_both_sides() -> None:
    assert "ResNet-50 on ImageNet" in caveat("resnet20", "cifar10")
    assert "resnet20 on cifar10" in caveat("resnet20", "cifar10")


@pytest.mark.parametrize(
    ("backbone", "data", "plain", "senet"),
    [
        ("preact-resnet110", "cifar10", 6.37, 5.21),
        ("preact-resnet164", "cifar100", 24.33, 21.31),
        ("wrn-16-8", "cifar100", 20.43, 19.14),
        ("shake-even-29-2x4x64d", "cifar100", 15.85, 15.41),
    ],
)
def test_networks_of_cifar_have_the_figures_of_tables_4_and_5(
    backbone: str, data: str, plain: float, senet: float
) -> None:
    rows = [cifar_row(backbone, data, variant) for variant in (None, PAPER_SE)]
    assert [row.top1 for row in rows if row is not None] == [plain, senet]
    assert cifar_row(backbone, data, SEVariant(reduction=8)) is None
    assert cifar_row(backbone, "digits", None) is None
    assert "not trained beside those with SE" in caveat(backbone, data, [4, 5])
