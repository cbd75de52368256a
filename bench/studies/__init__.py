"""What committed records of studies say beyond their reports."""
