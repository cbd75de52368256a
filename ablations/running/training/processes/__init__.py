"""A trial that several processes train together, each on its share of every batch."""
