"""What recipes are made of: optimisers, losses, rules for their fields, and the recipes that have names."""
