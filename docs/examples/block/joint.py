"""A block of ours, as a plug-in: CBAM's two gates in one."""

import torch
from torch import nn

from senet_core import BLOCKS


@BLOCKS.register("joint-cbam", source="ours: CBAM's logits added under one sigmoid, and 3x3 for 7x7")
class JointCBAM(nn.Module):
    def __init__(self, channels, *, width):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(channels, width), nn.ReLU(), nn.Linear(width, channels))
        self.conv = nn.Conv2d(2, 1, 3, padding=1)

    def weights(self, x):
        of_channels = self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3)))
        of_positions = self.conv(torch.stack([x.amax(1), x.mean(1)], dim=1))
        return (of_channels[:, :, None, None] + of_positions).sigmoid().to(x.dtype)

    def forward(self, x):
        return x * self.weights(x)
