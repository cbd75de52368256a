"""Searches: Optuna proposes, the sweep trains, the record keeps.

Proposals are written to results/STUDY/proposals.jsonl before they are trained, and their results to the
record. Optuna's own storage is a view of these two: it may be lost, and is made again from them.
"""
