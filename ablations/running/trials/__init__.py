"""Trials in workers, whatever they do: tasks and their outcomes, progress, and how an experiment's trials are run."""
