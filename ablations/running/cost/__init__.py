"""Time of trials on this machine, from earlier records or a short calibration."""
