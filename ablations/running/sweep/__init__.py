"""Sweeps: which trials are trained next, how they are followed, and how they end."""
