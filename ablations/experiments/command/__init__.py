"""Any program, run once for each trial."""
