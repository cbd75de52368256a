"""What is refused before a network is trained: equal rows, images that are too small, what it cannot do."""
