"""Tests of trained networks after the training: several crops, other sizes, ensembles, other test images."""
