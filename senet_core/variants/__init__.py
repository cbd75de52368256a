"""Variants: one point of the design space as a value, what its fields may hold, and its text form."""
