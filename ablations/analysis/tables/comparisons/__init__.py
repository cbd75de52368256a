"""Tables of comparisons, whatever was compared: verdicts, notes, how each was made, and all pairs."""
