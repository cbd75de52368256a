"""What a study may choose on validation images: the settings, the spaces, and one arm for each choice."""
