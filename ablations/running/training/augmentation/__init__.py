"""What is changed at random in training images, and how images become the input of a network."""
