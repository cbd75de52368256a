"""Interim analyses: when there are any, what they say together, and the boundaries that share one error."""
