"""The training step and its kernels: where its time goes, what each kernel gains, and whether losses stay the same."""
