"""Softmax regression with one hidden layer on scikit-learn's digits, in NumPy: a training script like many others."""

import argparse

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lr", type=float, default=0.1, help="learning rate (default: %(default)s)")
    parser.add_argument("--hidden", type=int, default=32, help="hidden units (default: %(default)s)")
    parser.add_argument("--dropout", type=float, default=0.0, help="share of hidden units left out")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    images, labels = load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(images / 16, labels, test_size=500, random_state=0)
    rng = np.random.default_rng(options.seed)
    first = rng.normal(0, 0.1, (64, options.hidden))
    second = rng.normal(0, 0.1, (options.hidden, 10))
    for epoch in range(options.epochs):
        for batch in np.array_split(rng.permutation(len(train_x)), 40):
            x, hot = train_x[batch], np.eye(10)[train_y[batch]]
            kept = rng.random(options.hidden) >= options.dropout
            hidden = np.maximum(x @ first, 0) * kept / (1 - options.dropout)
            scores = np.exp(hidden @ second - (hidden @ second).max(1, keepdims=True))
            slope = (scores / scores.sum(1, keepdims=True) - hot) / len(batch)
            back = (slope @ second.T) * (hidden > 0)
            second -= options.lr * hidden.T @ slope
            first -= options.lr * x.T @ back
        right = (np.maximum(test_x @ first, 0) @ second).argmax(1) == test_y
        print(f"epoch {epoch + 1}: test accuracy {100 * right.mean():.2f} %")


if __name__ == "__main__":
    main()
