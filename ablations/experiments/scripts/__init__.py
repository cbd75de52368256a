"""Studies that start from a script: its options, read from what it says of them, and a study file to edit."""
