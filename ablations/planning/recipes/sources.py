"""Where fields of a recipe come from: the papers, and how we depart from them."""

from __future__ import annotations

FIELD_SOURCES = {
    "schedule": "cosine: Loshchilov and Hutter 2017, arXiv:1608.03983, equation 5, without restarts unless `restarts` "
    "says so, then in cycles of equal length.",
    "warmup": "the linear rise: Goyal et al. 2017, arXiv:1706.02677, section 2.2.",
    "clip_norm": "Pascanu et al. 2013, arXiv:1211.5063, as torch.nn.utils.clip_grad_norm_ has it, over all weights "
    "together.",
    "label_smoothing": "Szegedy et al. 2016, arXiv:1512.00567, section 7.",
    "crop": "pad: He et al. 2015, arXiv:1512.03385, section 4.2; resized: Szegedy et al. 2015, arXiv:1409.4842, as in "
    "torchvision.",
    "cutout": "DeVries and Taylor 2017, arXiv:1708.04552.",
    "start_size": "progressive learning: Tan and Le 2021, arXiv:2104.00298, section 3.2, with sizes alone rising.",
}
"""By field."""
