"""The gates of trained networks as the paper's section 7.2 looks at them: statistics, statements, plots, a page."""
