"""Pruning: channels of a trained network are ranked and removed, so that it is really smaller."""
