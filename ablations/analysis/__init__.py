"""From the record of a study to comparisons, tables, plots and a report."""
