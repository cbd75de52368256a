"""Segmentation: torchvision's segmenters over networks with SE blocks, scored by mean IoU."""
