"""Tables as papers have them: few columns, a caption, a label, and a width that fits a page of two columns."""
