"""SE-ResNet-20 for CIFAR as one writes it in plain PyTorch; every peer trains this one.

Names are those of senet_core's network, so that a state dict of one loads into the other.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CLASSES = 10


class SELayer(nn.Module):
    """Squeeze, excite, scale (arXiv:1709.01507, equations 2 to 4), after github.com/moskomule/senet.pytorch."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        width = max(1, channels // reduction)
        fc1, fc2 = nn.Linear(channels, width, bias=False), nn.Linear(width, channels, bias=False)
        self.network = nn.ModuleDict({"fc1": fc1, "fc2": fc2})

    def forward(self, x: Tensor) -> Tensor:
        """Compute the layer."""
        batch, channels, _, _ = x.shape
        y = self.avg_pool(x).view(batch, channels)
        y = torch.sigmoid(self.network["fc2"](F.relu(self.network["fc1"](y))))
        return x * y.view(batch, channels, 1, 1)


class SEBasicBlock(nn.Module):
    """A basic block with an SE layer; the shortcut pads with zeros."""

    def __init__(self, into: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(into, out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.relu = nn.ReLU(inplace=True)
        self.se = SELayer(out)
        self.stride, self.added = stride, out - into

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block."""
        out: Tensor = self.relu(self.bn1(self.conv1(x)))
        out = self.se(self.bn2(self.conv2(out)))
        if self.added:
            before = self.added // 2
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, before, self.added - before))
        out += x
        out = self.relu(out)
        return out


class SEResNet20(nn.Module):
    """Three stages of three blocks with 16, 32 and 64 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.relu = nn.ReLU(inplace=True)
        self.layer1, self.layer2, self.layer3 = _stage(16, 16, 1), _stage(16, 32, 2), _stage(32, 64, 2)
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(64, CLASSES)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        logits: Tensor = self.fc(torch.flatten(self.avg_pool(x), 1))
        return logits


def _stage(into: int, out: int, stride: int) -> nn.Sequential:
    return nn.Sequential(SEBasicBlock(into, out, stride), *(SEBasicBlock(out, out, 1) for _ in range(2)))
