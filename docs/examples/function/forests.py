"""A function for each trial: how well a forest of trees tells wines apart, by scikit-learn."""

from __future__ import annotations

from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

KINDS = {"random": RandomForestClassifier, "extra": ExtraTreesClassifier}


def train(trial, context):
    """Return the metrics of one trial.

    Args:
        trial: `trial.values` has a value for each factor.
        context: the seed, a folder, and more; see docs/your-own-training.md.
    """
    x, y = load_breast_cancer(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(x, y, test_size=200, random_state=0)
    forest = KINDS[trial.values["kind"]](
        n_estimators=trial.values["trees"], max_depth=trial.values["depth"], random_state=context.seed
    )
    forest.fit(train_x, train_y)
    right = forest.predict(test_x) == test_y
    context.outcomes(right)  # which test examples were got right: verdicts then hold for new examples, too
    return {
        "error": 100 * float((~right).mean()),
        "loss": float(log_loss(test_y, forest.predict_proba(test_x))),
    }
