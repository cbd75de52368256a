"""Data sets that are read by torchvision's own classes."""
