"""Studies of combinations as factorial experiments: effects, interactions, and the least squares behind them."""
