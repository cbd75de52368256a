"""BAM: gates of channels and of positions, joined before the sigmoid."""

from __future__ import annotations

from torch import Tensor, nn

from senet_core.blocks.squeezes.paper import average_squeeze

DILATION = 4


class BAM(nn.Module):
    """Add to a map what its gates leave of it: y = x + M(x) x.

    M(x) = sigmoid(Mc(x) + Ms(x)); Mc(x) = BN(MLP(mean(x))), with the mean over positions;
    Ms(x) = BN(f3(f2(f1(f0(x))))), where f0 and f3 are 1x1 convolutions to `width` channels and to one, f1 and f2 are
    3x3 ones of dilation 4, and ReLUs stand between.

    Args:
        channels: channels of the map.
        width: hidden units of both branches, at least 1.

    Shapes:
        x: (N, C, H, W); returns the same.
    Source: Park et al. 2018, arXiv:1807.06514, equations 1 to 4, which name no function between the layers; the ReLUs
        are the authors' code's. For use at the end of a stage: integration "post", units "last". In training, a
        batch has two images or more: one has no statistics of its mean.
    """

    def __init__(self, channels: int, *, width: int) -> None:
        super().__init__()
        self.channel = nn.Sequential(
            nn.Linear(channels, width),
            nn.ReLU(),
            nn.Linear(width, channels, bias=False),  # the norm has one
            nn.BatchNorm1d(channels),
        )
        self.position = nn.Sequential(
            nn.Conv2d(channels, width, 1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=DILATION, dilation=DILATION),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=DILATION, dilation=DILATION),
            nn.ReLU(),
            nn.Conv2d(width, 1, 1, bias=False),
            nn.BatchNorm2d(1),
        )

    def weights(self, x: Tensor) -> Tensor:
        """Compute what the map is multiplied by: 1 + M(x), between 1 and 2.

        Shapes:
            x: (N, C, H, W); returns the same.
        """
        logits: Tensor = self.channel(average_squeeze(x))[:, :, None, None] + self.position(x)
        return 1 + logits.sigmoid().to(x.dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block."""
        return x * self.weights(x)


class BAMProduct(nn.Module):
    """Compute BAM as the authors' code does: M(x) = sigmoid(Mc(x) Ms(x)), with batch norms after hidden layers only.

    The product of two logits is large where both are large or both are small: a channel and a position that both speak
    against themselves open the gate.

    Args:
        channels: channels of the map.
        width: hidden units of both branches, at least 1.

    Shapes:
        x: (N, C, H, W); returns the same.
    Source: the code of Park et al. 2018, github.com/Jongchan/attention-module, MODELS/bam.py. For use as BAM.
    """

    def __init__(self, channels: int, *, width: int) -> None:
        super().__init__()
        self.channel = nn.Sequential(
            nn.Linear(channels, width, bias=False),  # the norms have biases, here and below
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Linear(width, channels),
        )
        self.position = nn.Sequential(
            nn.Conv2d(channels, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=DILATION, dilation=DILATION, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=DILATION, dilation=DILATION, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, 1, 1),
        )

    def weights(self, x: Tensor) -> Tensor:
        """Compute what the map is multiplied by: 1 + M(x), between 1 and 2.

        Shapes:
            x: (N, C, H, W); returns the same.
        """
        logits: Tensor = self.channel(average_squeeze(x))[:, :, None, None] * self.position(x)
        return 1 + logits.sigmoid().to(x.dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block."""
        return x * self.weights(x)
