"""Whole sweeps: how busy their workers are, what a trial costs beside its training, and how their records scale."""
