"""Gate networks of later papers: values worked by hand from their definitions, and refusals."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from senet_core import GATES, SEBlock, UserError
from senet_core.blocks.gates.eca import kernel_size


def gate(name: str, channels: int, *, width: int = 4, bias: bool = False) -> nn.Module:
    torch.manual_seed(0)
    built: nn.Module = GATES[name].build(channels, width=width, bias=bias)
    return built


def row(*numbers: float) -> Tensor:
    return torch.tensor([numbers], dtype=torch.float32)


def test_without_the_rectifier_a_bottleneck_is_one_matrix() -> None:
    network = gate("bottleneck-linear", 6)
    z = torch.randn(3, 6)
    assert torch.allclose(network(z), z @ (network.fc2.weight @ network.fc1.weight).T, atol=1e-6)


def test_halves_of_a_grouped_bottleneck_do_not_see_each_other() -> None:
    network, z = gate("grouped", 8), torch.randn(1, 8)
    changed = z.clone()
    changed[0, :4] += 1
    same = network(changed) == network(z)
    assert same[0, 4:].all()
    assert not same[0, :4].any()
    assert sum(p.numel() for p in network.parameters()) == 8 * 4  # half of a bottleneck's


def test_full_is_one_matrix() -> None:
    network = gate("full", 2, bias=True)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        network.bias.copy_(torch.tensor([10.0, 20.0]))
    assert network(row(1, -1)).tolist() == [[9.0, 19.0]]


@pytest.mark.parametrize(
    ("channels", "k"), [(1, 1), (4, 1), (8, 3), (16, 3), (64, 3), (128, 5), (256, 5), (512, 5), (2048, 7)]
)
def test_ecas_kernel_by_equation_12(channels: int, k: int) -> None:
    assert kernel_size(channels) == k
    assert gate("eca", channels).conv.weight.numel() == k


@pytest.mark.parametrize(("name", "round_"), [("eca", 0), ("ceca", 1)])
def test_ecas_neighbours(name: str, round_: int) -> None:
    network = gate(name, 8)
    with torch.no_grad():
        network.conv.weight.copy_(torch.tensor([1.0, 10.0, 100.0])[None, None, :, None])
    logits = network(torch.arange(1.0, 9.0)[None])[0]
    # 1 * before + 10 * here + 100 * after
    assert logits[3].item() == 3 + 40 + 500
    assert logits[0].item() == 8 * round_ + 10 + 200
    assert logits[7].item() == 7 + 80 + 100 * round_


def test_lct_normalises_in_groups() -> None:
    network = gate("lct4", 8, bias=True)
    with torch.no_grad():
        network.w.copy_(torch.arange(1.0, 9.0))
        network.b.fill_(0.5)
    # in every pair the lower is -1 and the higher is 1, but for the epsilon
    logits = network(row(0, 10, 7, 3, -5, 5, 100, 300))
    assert logits[0].tolist() == pytest.approx([-0.5, 2.5, 3.5, -3.5, -4.5, 6.5, -6.5, 8.5], abs=1e-4)


def test_gct_divides_by_the_root_mean_square() -> None:
    network = gate("gct", 2, bias=True)
    with torch.no_grad():
        network.alpha.copy_(torch.tensor([1.0, 2.0]))
        network.gamma.copy_(torch.tensor([1.0, -1.0]))
        network.beta.copy_(torch.tensor([0.0, 0.25]))
    # s = (1, 7), rms = sqrt((1 + 49) / 2) = 5
    assert network(row(1, 3.5))[0].tolist() == pytest.approx([0.2, -1.4 + 0.25], abs=1e-5)


@pytest.mark.parametrize("bias", [False, True])
def test_gct_starts_as_the_identity(bias: bool) -> None:
    block = SEBlock(16, width=1, squeeze="l2", gate="gct", excitation="one-plus-tanh", bias=bias)
    x = torch.randn(2, 16, 5, 5)
    assert torch.equal(block(x), x)


def test_the_gaussian_transformer_by_hand() -> None:
    block = SEBlock(2, width=1, gate="channel-norm", excitation="gaussian")
    x = row(1, 5)[:, :, None, None].expand(1, 2, 3, 3)  # mean 3, deviation 2: z = -1 and 1
    assert block.weights(x).flatten().tolist() == pytest.approx([math.exp(-1 / 8)] * 2, abs=1e-5)


def test_srm_by_hand() -> None:
    network = gate("srm", 2).eval()
    with torch.no_grad():
        network.w.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        network.norm.running_mean.copy_(torch.tensor([1.0, 0.0]))
        network.norm.running_var.copy_(torch.tensor([4.0, 1.0]))
    means, deviations = [1.0, -1.0], [2.0, 0.5]
    # 1 + 6 = 7, less 1, by 2; -2 + 2 = 0
    assert network(torch.tensor([[means, deviations]]))[0].tolist() == pytest.approx([3.0, 0.0], abs=1e-4)


def test_nam_by_hand() -> None:
    network = gate("nam", 2).eval()
    with torch.no_grad():
        network.norm.weight.copy_(torch.tensor([1.0, -3.0]))
    # weights 1/4 and 3/4; the batch norm makes 2 and -6 of 2 and 2
    assert network(row(2, 2))[0].tolist() == pytest.approx([0.5, -4.5], abs=1e-4)


def test_sse_gives_all_channels_one_logit() -> None:
    network = gate("sse", 2)
    with torch.no_grad():
        network.layer.weight.copy_(row(1, 10))
    z = torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]])
    assert network(z)[0].tolist() == [[[31.0, 42.0]], [[31.0, 42.0]]]


def test_identity_is_the_descriptor() -> None:
    z = torch.randn(2, 4)
    assert torch.equal(gate("identity", 4)(z), z)


def test_gcs_transform_by_hand() -> None:
    network = gate("gc", 2, width=2)
    with torch.no_grad():
        network.fc1.weight.copy_(torch.eye(2))
        network.fc2.weight.copy_(torch.tensor([[2.0, 5.0], [3.0, 7.0]]))
    # normalised to (-1, 1), rectified to (0, 1)
    assert network(row(4, 6))[0].tolist() == pytest.approx([5.0, 7.0], abs=1e-4)


@pytest.mark.parametrize(
    ("name", "channels", "width", "message"),
    [
        (
            "lct4",
            6,
            1,
            "gate 'lct4' has 4 groups of at least two channels, into which 6 channels cannot be divided",
        ),
        (
            "grouped",
            16,
            1,
            "gate 'grouped' has 2 groups, into which 16 channels and 1 units cannot be divided; another reduction makes"
            " another number of units",
        ),
        (
            "gc",
            16,
            1,
            "gate 'gc' normalises over its units, and of 1 it would make a constant: at 16 channels take a reduction of"
            " at most 8",
        ),
    ],
)
def test_what_cannot_be_is_refused(name: str, channels: int, width: int, message: str) -> None:
    with pytest.raises(UserError) as caught:
        gate(name, channels, width=width)
    assert str(caught.value) == message
