"""Plots in two steps: the numbers that are shown, then the drawing."""
