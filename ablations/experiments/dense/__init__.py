"""What detection and segmentation have in common: data in COCO's format, recipe, training loop, factors, report."""
