"""The kinds of design: which rows a study has, and which of them are compared together."""
