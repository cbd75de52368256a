"""Tests of a study's networks after the training, which choose nothing: several crops, ensembles, other images."""
