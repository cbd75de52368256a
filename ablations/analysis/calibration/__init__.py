"""How often a study's own report would be wrong: its noise, resampled, through the tests of its report."""
