"""What a study or a file shows, for programs: one JSON document, and verdicts that are expected."""
