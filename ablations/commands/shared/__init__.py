"""Parts that several commands share: options, opening a study, the console, tables and words."""
