"""What is on the disk of a study: trials, interim analyses, proposals, forecasts and leases."""
