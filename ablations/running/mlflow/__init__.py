"""The MLflow experiment of a study: its store, runs, summaries and views."""
