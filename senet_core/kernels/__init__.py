"""Computations of our own for CPUs, in the place of PyTorch's."""
