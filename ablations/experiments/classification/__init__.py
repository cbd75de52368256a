"""Networks with SE blocks that are trained to classify images."""
