"""Fields that several kinds of experiment have in a study file."""
