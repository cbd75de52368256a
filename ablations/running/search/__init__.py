"""Searches: Optuna proposes, the sweep trains, the record keeps.

What was proposed is written down in results/STUDY/proposals.jsonl before it is trained, and what came of it in the
record. Optuna's own storage is a view of these two: it may be lost, and is made again from them.
"""
