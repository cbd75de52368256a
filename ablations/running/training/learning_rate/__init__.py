"""The learning rate by step: schedules, and plateaus, which watch the loss."""
