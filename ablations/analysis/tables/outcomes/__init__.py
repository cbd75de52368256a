"""Tables of outcomes: which image which seed's run got right."""
