"""Tables as plain values, and their Markdown, HTML, LaTeX, CSV and terminal forms."""
