"""The files of a study: trials, interim analyses, proposals, forecasts and leases."""
