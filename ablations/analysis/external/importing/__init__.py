"""Recorded runs as trials of a study: which run is which trial, and the lines that it makes."""
