"""Choices that a study makes on validation images: the settings, the spaces, and one arm for each choice."""
