"""Where trials run: worker processes, Ray, or an executor of the user's."""
