"""Tests of trained networks after the training: what was tested, and its outcomes, image by image."""
