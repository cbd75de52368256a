"""Results that were measured elsewhere: reading and comparing them."""
