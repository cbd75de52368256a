"""What reports say of networks with SE blocks alone: widths of bottlenecks, the paper's own figures, set-up."""
