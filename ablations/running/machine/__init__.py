"""What trials run on: devices, kernels, memory, signals, durable files and the description of the environment."""
