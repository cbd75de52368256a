"""The Python API of ablations; `import ablations as ab` has its names."""
