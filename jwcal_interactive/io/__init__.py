"""Files: the only package of the core that reads and writes FITS and ASDF."""
