"""Parameters and multiply-adds against the printed figures, of the SE paper and of the networks' own papers."""

from __future__ import annotations

from functools import lru_cache

import pytest

from senet_core import Complexity, SEVariant, measure_complexity, parse_variant
from senet_core.backbones import find_backbone

pytestmark = pytest.mark.slow  # minutes in all

MILLION, BILLION = 1e6, 1e9


@lru_cache
def cost(name: str, variant: str) -> Complexity:
    size = find_backbone(name).image_size
    classes = 10 if size == 32 else 1000
    return measure_complexity(name, parse_variant(variant), image_shape=(3, size, size), num_classes=classes)


@pytest.mark.parametrize(
    ("name", "plain", "se"),
    [
        ("resnet50-v1", 3.86, 3.87),
        ("resnet101-v1", 7.58, 7.60),
        ("resnet152-v1", 11.30, 11.32),
        ("resnext50_32x4d", 4.24, 4.25),
        ("resnext101_32x4d", 7.99, 8.00),
        ("vgg16_bn", 15.47, 15.48),
        ("bn-inception", 2.03, 2.04),
        # the released widths with 5, 20 and 5 blocks; with the released 10, 20 and 10 blocks it is 13.16
        ("inception-resnet-v2-5-20-5", 11.75, 11.76),
        ("mobilenet-v1", 0.569, 0.572),
    ],
)
def test_multiply_adds_of_tables_2_and_3(name: str, plain: float, se: float) -> None:
    assert cost(name, "plain").multiply_adds / BILLION == pytest.approx(plain, rel=0.01)
    assert cost(name, "se").multiply_adds / BILLION == pytest.approx(se, rel=0.01)


def test_multiply_adds_that_the_tables_print_otherwise() -> None:
    """ShuffleNet's 140 M is its own paper's round figure; a direct count gives 137.5 M.

    SE adds 0.6 M in the gates' layers. The paper's 2 M more also count the scaling of the maps, which is 1.7 M.
    """
    plain, se = (cost("shufflenet-v1-g3", variant).multiply_adds / MILLION for variant in ("plain", "se"))
    assert plain == pytest.approx(137.5, abs=0.1)
    assert se == pytest.approx(138.1, abs=0.1)
    assert cost("inception-resnet-v2", "plain").multiply_adds / BILLION == pytest.approx(13.16, abs=0.01)


@pytest.mark.parametrize(
    ("name", "plain", "se"), [("mobilenet-v1", 4.2, 4.7), ("shufflenet-v1-g3", 1.8, 2.4)]
)
def test_parameters_of_table_3(name: str, plain: float, se: float) -> None:
    assert cost(name, "plain").parameters / MILLION == pytest.approx(plain, abs=0.12)
    assert cost(name, "se").parameters / MILLION == pytest.approx(se, abs=0.12)


@pytest.mark.parametrize(
    ("variant", "parameters", "multiply_adds"),
    [
        # table 10
        ("se:reduction=2", 45.7, None),
        ("se:reduction=4", 35.7, None),
        ("se:reduction=8", 30.7, None),
        ("se:reduction=16", 28.1, None),
        ("se:reduction=32", 26.9, None),
        ("plain", 25.6, 3.86),
        # table 13
        ("se:stages=2", 25.6, 3.86),
        ("se:stages=3", 25.7, 3.86),
        ("se:stages=4", 26.4, 3.86),
        ("se", 28.1, 3.87),
        # tables 15 and 16
        ("se:integration=conv3x3", 25.8, 3.86),
        ("se:squeeze=none", 28.1, 4.27),
    ],
)
def test_resnet50_of_tables_10_13_15_and_16(
    variant: str, parameters: float, multiply_adds: float | None
) -> None:
    found = cost("resnet50-v1", variant)
    assert found.parameters / MILLION == pytest.approx(parameters, abs=0.12)
    if multiply_adds is not None:
        assert found.multiply_adds / BILLION == pytest.approx(multiply_adds, rel=0.01)


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("resnet20", 0.27),  # He et al. 2015, Table 6
        ("resnet110", 1.7),
        ("preact-resnet164", 1.7),  # He et al. 2016; Zagoruyko and Komodakis 2016, Table 5
        ("wrn-16-8", 11.0),  # Zagoruyko and Komodakis 2016, Table 5
        ("wrn-28-10", 36.5),
        ("wrn-40-4", 8.9),
        ("shake-shake-26-2x96d", 26.2),  # Gastaldi 2017, Table 3
        ("shake-even-29-2x4x64d", 34.4),
        ("senet154", 108.5),  # 115.1 with its gates, as published
    ],
)
def test_parameters_that_the_networks_own_papers_print(name: str, millions: float) -> None:
    digits = len(str(millions).partition(".")[2])
    assert cost(name, "plain").parameters / MILLION == pytest.approx(millions, abs=0.6 * 10**-digits)


def test_senet154_with_its_gates_is_the_published_size() -> None:
    """115,088,984: timm's legacy_senet154."""
    assert cost("senet154", "se:bias=true").parameters == 115_088_984


def test_section_4_formula_of_the_extra_parameters() -> None:
    """(2 / r) * sum of N_s * C_s**2."""
    units, channels = (3, 4, 6, 3), (256, 512, 1024, 2048)
    expected = sum(n * c * c for n, c in zip(units, channels, strict=True)) * 2 // 16
    extra = cost("resnet50-v1", str(SEVariant())).parameters - cost("resnet50-v1", "plain").parameters
    assert extra == expected
