"""Detection: torchvision's detectors over networks with SE blocks, scored as COCO scores."""
