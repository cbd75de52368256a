"""Results: a design and its record together, as rows, families, races, choices and confirmations."""
