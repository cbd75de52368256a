"""How long trials take on this machine, from earlier records or a short calibration."""
