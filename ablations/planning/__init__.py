"""What is asked: studies, their cells and trials. Pure values; nothing here trains, reads data or needs torch."""
