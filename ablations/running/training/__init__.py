"""One trial in a worker process: networks, batches, the training loop, checkpoints and the test."""
