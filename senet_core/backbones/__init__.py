"""The networks of the paper, by family. Names and stages are known without importing torch.

`catalog.py` says what a backbone is and finds one by name; `cifar.py` and `imagenet.py` name the families;
the networks themselves are in a file each.
"""

from __future__ import annotations

from senet_core.backbones import cifar, imagenet  # fills the catalog
from senet_core.backbones.catalog import BACKBONES, Backbone, backbone_stages, find_backbone

__all__ = ["BACKBONES", "Backbone", "backbone_stages", "cifar", "find_backbone", "imagenet"]
