"""Ablation studies of attention blocks: from a question in a YAML file to a report with honest error bars."""
