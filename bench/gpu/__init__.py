"""The GPU path, checked and measured by one command, `bench/gpu.sh`: first whether it is right, then how fast it is."""
