"""Training one trial in a worker process: networks, batches, the training loop, checkpoints, evaluation."""
