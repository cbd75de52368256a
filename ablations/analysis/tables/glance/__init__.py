"""What a reader sees first: the question, a plain answer, every row in one picture, and what it cost."""
