"""Statistics: arrays in, numbers out. Nothing here knows a study."""
