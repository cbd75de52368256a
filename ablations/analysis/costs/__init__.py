"""Parameters, multiply-adds and latencies of networks, beside the figures of the paper."""
