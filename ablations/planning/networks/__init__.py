"""The built-in experiment as it is planned: networks with SE blocks that are trained to classify images."""
