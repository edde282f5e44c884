"""The ``jwcal`` command."""
