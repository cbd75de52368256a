"""What Python programs and the command line call: each module answers one question about a study."""
