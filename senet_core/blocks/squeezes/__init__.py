"""Squeeze: how a feature map becomes one descriptor per channel.

A squeeze is a function of the map, or, where it has parameters, a module class built with the number of
channels, or a factory (`factory=True`) that makes one. It takes (N, C, H, W) and returns (N, C); one that keeps
positions returns (N, C, H, W), and the gate then weighs every position by itself. One on a coarser grid, (N, C, h, w),
weighs tiles: the gates are repeated. One registered with `descriptors=k` returns (N, k, C).

`paper.py` has the SE paper's own, `statistics.py` other numbers of a channel, `tiles.py` averages of parts of a map,
and `built.py` those that have parameters or must know the number of channels.
"""

from senet_core.blocks.squeezes import built, paper, statistics, tiles

__all__ = ["built", "paper", "statistics", "tiles"]
