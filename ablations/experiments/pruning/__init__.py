"""Trained networks of another study whose channels are ranked, removed, and whose rest is trained on for a while."""
