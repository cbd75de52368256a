"""Keeps what is written down equal to results/: documents with marks, reports, and the pictures of both."""
