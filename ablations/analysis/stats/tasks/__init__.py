"""Several data sets or backbones together: aggregates over tasks, and on how many of them a difference is shown."""
