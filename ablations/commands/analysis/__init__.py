"""The commands that look at what a study has: they read its record, and train nothing."""
