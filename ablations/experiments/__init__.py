"""What one trial does: the kinds of experiment that ship, a folder each."""
