"""Tables of what a study chose: recipes of a tuned study, networks of a search."""
