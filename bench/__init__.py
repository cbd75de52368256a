"""Speed, measured against what one would use instead."""
