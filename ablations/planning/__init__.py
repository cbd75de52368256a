"""What is asked: studies, their rows and trials. Pure values; nothing here trains, reads data or needs torch."""
