"""One step of a training: as it is written, or captured once as a graph of CUDA and replayed."""
