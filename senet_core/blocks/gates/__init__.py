"""Gate networks: what stands between the squeeze and the excitation.

A gate is a factory called as `build(channels, width=..., bias=...)` that returns a module taking descriptors
(N, C) or (N, C, H, W) to logits of the same shape. Where a squeeze gives k descriptors for each channel, (N, k, C), it
is applied to each of them and the logits are added; one registered with `descriptors=k` takes them all at once.

`paper.py` has the SE paper's gate and those near to it, `published.py` those of later papers; the modules beside them
are imported when one is built.
"""

from senet_core.blocks.gates import paper, published

__all__ = ["paper", "published"]
