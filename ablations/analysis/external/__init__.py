"""Results that were measured elsewhere, as files."""
