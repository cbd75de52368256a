"""Reports: what is said, in which order, and the files that are written."""
