"""Computations of our own for CPUs, in the place of PyTorch's. Networks work without this folder, more slowly.

`fused` fills the hook in `senet_core/kernel_hook.py`; `winograd` changes the class of a built network's convolutions.
"""
