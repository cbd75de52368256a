"""Simulations of the verdicts: error rates, coverage and power."""
