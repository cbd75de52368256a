"""How it is answered: data, training, the sweep, the record, and MLflow."""
