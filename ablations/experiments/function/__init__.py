"""Any Python function, called once for each trial."""
