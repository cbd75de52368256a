"""Studies of any experiment: factors by name, each with the list of its values."""
