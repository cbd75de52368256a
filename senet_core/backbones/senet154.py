"""SENet-154 without its SE blocks: a ResNeXt of 64x4d in the stacking of ResNet-152, with five changes."""

from __future__ import annotations

from torch import Tensor, nn

from senet_core.backbones.layers import he_normal
from senet_core.kernel_hook import norm_relu
from senet_core.resnet_forms import BottleneckForm

UNITS = (3, 8, 36, 3)
GROUPS = 64
STEM = 128


class HalvedBottleneck(nn.Module):
    """A bottleneck of 64 groups whose first 1x1 convolution has half the channels of its 3x3 one.

    Args:
        into: channels of the input.
        width: channels of the 3x3 convolution.
        out: channels of the output.
        stride: of the 3x3 convolution, and of the projection.
        projection: height and width of the projection's kernel; None where the shortcut is x itself.

    Shapes:
        x: (N, into, H, W); returns (N, out, ceil(H / stride), ceil(W / stride)).
    Source: arXiv:1709.01507, appendix, and the authors' Caffe definition.
    """

    form = BottleneckForm()

    def __init__(self, into: int, width: int, out: int, *, stride: int, projection: int | None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(into, width // 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width // 2)
        self.conv2 = nn.Conv2d(width // 2, width, 3, stride=stride, padding=1, groups=GROUPS, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.downsample: nn.Module | None = None
        if projection is not None:
            self.downsample = nn.Sequential(
                nn.Conv2d(into, out, projection, stride=stride, padding=projection // 2, bias=False),
                nn.BatchNorm2d(out),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Compute the unit."""
        return self.form.plain(self, x)


class SENet154(nn.Module):
    """The backbone of SENet-154.

    Against a ResNeXt: halved first convolutions, a stem of three 3x3 convolutions, 3x3 projections where a
    stage strides, max pooling without padding (its size rounded up), and dropout before the classifier. Label
    smoothing and the frozen batch norm at the end are the recipe's.

    Args:
        num_classes: outputs.
        in_channels: channels of the images.

    Shapes:
        x: (N, in_channels, H, W); returns logits (N, num_classes).
    Source: arXiv:1709.01507, appendix, and the authors' Caffe definition.
    """

    def __init__(self, *, num_classes: int, in_channels: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 64, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.conv2 = nn.Conv2d(64, 64, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(64)
        self.conv3 = nn.Conv2d(64, STEM, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(STEM)
        self.maxpool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        into = STEM
        stages = []
        for number, units in enumerate(UNITS, start=1):
            width = 256 * 2 ** (number - 1)
            stage = nn.Sequential()
            for index in range(units):
                first = index == 0
                stage.append(
                    HalvedBottleneck(
                        into,
                        width,
                        width,
                        stride=2 if first and number > 1 else 1,
                        projection=(1 if number == 1 else 3) if first else None,
                    )
                )
                into = width
            stages.append(stage)
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(into, num_classes)
        he_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        x = norm_relu(self.bn1, self.conv1(x))
        x = norm_relu(self.bn2, self.conv2(x))
        x = norm_relu(self.bn3, self.conv3(x))
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.maxpool(x)))))
        logits: Tensor = self.fc(self.dropout(x.mean(dim=(2, 3))))
        return logits
