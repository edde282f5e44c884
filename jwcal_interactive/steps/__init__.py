"""Calibration steps, one module each; `jwcal_interactive.steps.catalogue` lists them."""
