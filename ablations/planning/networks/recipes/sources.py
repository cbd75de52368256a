"""Where fields of a recipe come from: the papers, and how we depart from them."""

from __future__ import annotations

FIELD_SOURCES = {
    "weights": "torchvision: IMAGENET1K_V1 of pytorch.org/vision, for backbones of its names. A trial knows a file by "
    "its SHA-256, not by its name or place; FILE@sha256:DIGEST refuses another. Before a training it is copied to "
    "`weights` beside the prepared data.",
    "freeze": "Yosinski et al. 2014, arXiv:1411.1792. SE blocks that the weights lack are trained in "
    "frozen stages, too.",
    "schedule": "cosine: Loshchilov and Hutter 2017, arXiv:1608.03983, equation 5, without restarts unless `restarts` "
    "says so, then in cycles of equal length. plateau: Hu et al. 2017, arXiv:1709.01507, section 6, where neither the "
    "patience nor the images are said; here these are held back from the training images, as nothing is chosen on test "
    "images.",
    "warmup": "the linear rise: Goyal et al. 2017, arXiv:1706.02677, section 2.2.",
    "clip_norm": "Pascanu et al. 2013, arXiv:1211.5063, as torch.nn.utils.clip_grad_norm_ has it, over all weights "
    "together.",
    "label_smoothing": "Szegedy et al. 2016, arXiv:1512.00567, section 7.",
    "crop": "pad: He et al. 2015, arXiv:1512.03385, section 4.2; resized: Szegedy et al. 2015, arXiv:1409.4842, as in "
    "torchvision.",
    "cutout": "DeVries and Taylor 2017, arXiv:1708.04552.",
    "randaugment": "Cubuk et al. 2020, arXiv:1909.13719, as torchvision has it; what comes in from outside has the "
    "mean of the data.",
    "erasing": "Zhong et al. 2020, arXiv:1708.04896, as torchvision has it: 2 to 33 % of the image, filled with the "
    "mean of the data.",
    "mixup": "Zhang et al. 2018, arXiv:1710.09412, as torchvision has it: one share for a batch, and the pairs are "
    "neighbours in it. Training errors count the larger part's label.",
    "cutmix": "Yun et al. 2019, arXiv:1905.04899, as torchvision has it.",
    "dropout": "Srivastava et al. 2014, JMLR 15, p. 1929; for backbones that have none of their own.",
    "stochastic_depth": "Huang et al. 2016, arXiv:1603.09382, section 3, with linear decay; for backbones with "
    "residual units. An SE block sees the whole branch, which is left out after it.",
    "ema": "Polyak and Juditsky 1992, SIAM J. Control Optim. 30, p. 838; torch.optim.swa_utils.AveragedModel, "
    "statistics of batch norms included, from the weights after the first step.",
    "start_size": "progressive learning: Tan and Le 2021, arXiv:2104.00298, section 3.2, with sizes alone rising.",
}
"""By field."""
