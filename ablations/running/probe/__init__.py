"""The gates of a trained network, collected for every test image."""
