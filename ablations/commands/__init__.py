"""The commands of `ablate`, one file for each kind of work: they parse, call, and say what comes next."""
