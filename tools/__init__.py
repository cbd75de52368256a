"""Programs that only this repository needs."""
