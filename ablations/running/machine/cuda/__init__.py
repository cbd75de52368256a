"""What is NVIDIA's alone: how float32 is rounded, deterministic algorithms, versions, and contexts that are lost."""
