"""Blocks of the zoo against other people's code: equal where that is right, and not where it is wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from timm.layers import CecaModule, EcaModule, EffectiveSEModule, GatherExcite, GlobalContext, create_attn
from timm.layers.cbam import ChannelAttn
from torch import Tensor, nn

from senet_core import SEBlock

CHANNELS, WIDTH = 32, 8
BLOCKS: dict[str, tuple[nn.Module, dict[str, Any]]] = {
    "eSE": (EffectiveSEModule(CHANNELS), {"gate": "full", "excitation": "hard-sigmoid", "bias": True}),
    "ECA": (EcaModule(CHANNELS), {"gate": "eca"}),
    "CECA": (CecaModule(CHANNELS), {"gate": "ceca"}),
    "GC": (
        GlobalContext(CHANNELS, rd_channels=WIDTH, fuse_add=True, fuse_scale=False),
        {"squeeze": "context", "gate": "gc", "excitation": "linear", "fusion": "add", "bias": True},
    ),
    "CBAM-channel": (ChannelAttn(CHANNELS, rd_channels=WIDTH), {"squeeze": "avg-max"}),
    "GE-theta-": (GatherExcite(CHANNELS, extent=2, use_mlp=False), {"squeeze": "ge2", "gate": "identity"}),
}
"""timm's module and our fields; timm has each block as its paper has it."""
DOCUMENTED = {"CBAM-channel": "CBAM, channels", "GE-theta-": "GE-theta-, extent 2"}


def maps(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("size", [(8, 8), (6, 4)])
def test_equal_to_timms(name: str, size: tuple[int, int]) -> None:
    theirs, fields = BLOCKS[name]
    ours = SEBlock(CHANNELS, width=WIDTH, **fields)
    with torch.no_grad():
        for number, parameter in enumerate(theirs.parameters()):
            nn.init.normal_(parameter, std=0.3, generator=torch.Generator().manual_seed(number))
        # the bias before a softmax is the only parameter that ours have not
        names = [n for n, _ in theirs.named_parameters() if n != "conv_attn.bias"]
        for mine, their in zip(ours.parameters(), names, strict=True):
            mine.copy_(theirs.get_parameter(their).reshape(mine.shape))
        x = maps(3, CHANNELS, *size)
        largest = float((ours(x) - theirs(x)).abs().max())
    assert largest <= 1e-5, f"{name} is {largest} away from timm's"
    page = (Path(__file__).parents[3] / "docs" / "blocks.md").read_text(encoding="utf-8")
    (said,) = re.findall(
        rf"^\| {DOCUMENTED.get(name, name)} \| `\w+.*?\| (\S+) \|$", page, flags=re.MULTILINE
    )
    assert largest <= max(3 * float(said), 1e-6)  # other processors sum in another order


class TestPublishedFaults:
    """Each formula as published beside the definition: they differ, so our values would show the fault."""

    def test_timms_gather_excite_cannot_be_built_with_its_bottleneck(self) -> None:
        with pytest.raises(TypeError):
            create_attn("ge", 16)
        block = SEBlock(16, width=1, squeeze="ge2")
        assert block(maps(2, 16, 5, 7)).shape == (2, 16, 5, 7)

    def test_a_gaussian_without_its_brackets(self) -> None:
        """One package has z^2 / 2 * c for z^2 / (2 c^2), which with c = 2 is 8 times too much."""
        z = maps(4, 16)
        normed = (z - z.mean(1, keepdim=True)) / z.std(1, correction=0, keepdim=True)
        published, defined = torch.exp(-(normed**2 / 2 * 2)), torch.exp(-(normed**2) / (2 * 2**2))
        block = SEBlock(16, width=1, gate="channel-norm", excitation="gaussian")
        ours = block.weights(z[:, :, None, None].expand(4, 16, 3, 3))[:, :, 0, 0]
        torch.testing.assert_close(ours, defined, rtol=1e-4, atol=1e-4)
        assert (published - defined).abs().max() > 0.3

    def test_nam_whose_scales_have_half_a_gradient(self) -> None:
        """The authors' code takes |gamma| / sum |gamma| of `weight.data`, through which nothing is learned."""
        block = SEBlock(16, width=1, squeeze="none", gate="nam").eval()
        norm = block.network.norm
        x = maps(2, 16, 5, 7)

        def published() -> Tensor:
            sizes = norm.weight.data.abs()
            y = nn.functional.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias)
            return x * ((sizes / sizes.sum())[:, None, None] * y).sigmoid()

        torch.testing.assert_close(block(x), published())
        mine, theirs = (
            torch.autograd.grad(y.square().sum(), norm.weight)[0] for y in (block(x), published())
        )
        assert (mine - theirs).abs().max() > 0.1 * mine.abs().max()

    def test_simam_by_one_position_less(self) -> None:
        """The authors' code divides by H W - 1, which is 0 for a single position."""
        x = maps(2, 16, 1, 1)
        apart = (x - x.mean((2, 3), keepdim=True)).square()
        published = apart / (4 * (apart.sum((2, 3), keepdim=True) / 0 + 1e-4)) + 0.5
        block = SEBlock(16, width=1, squeeze="simam", gate="identity")
        assert published.isnan().all()
        assert torch.allclose(block.weights(x), torch.tensor(0.5).sigmoid())
