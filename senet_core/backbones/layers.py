"""Layers that several families share."""

from __future__ import annotations

from torch import Tensor, nn

from senet_core.kernel_hook import norm_relu


class ConvBNReLU(nn.Module):
    """A convolution without bias, batch norm and ReLU, named `conv` and `bn`.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel: height and width of the kernel.
        stride: over rows and columns.
        padding: zeros on each side, over rows and columns.
        groups: of the convolution.
        eps: of the batch norm.

    Shapes:
        x: (N, in_channels, H, W); returns (N, out_channels, ...), by stride and padding.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int | tuple[int, int],
        *,
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
        groups: int = 1,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel, stride=stride, padding=padding, groups=groups, bias=False
        )
        self.bn = nn.BatchNorm2d(out_channels, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the layer."""
        return norm_relu(self.bn, self.conv(x))


def he_normal(model: nn.Module) -> None:
    """Draw the weights of every convolution from He et al.'s normal distribution, by the size of its output.

    Not for `cifar_resnet`, which draws them by the size of the input.

    Source: He et al. 2015, arXiv:1502.01852, as the authors' code of the CIFAR networks has it.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
