"""Outcomes of a study: a bit for each seed and test image, of whole rows and by class."""
