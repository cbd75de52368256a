"""What is timed side by side: our training and its peers, each a program of its own."""
