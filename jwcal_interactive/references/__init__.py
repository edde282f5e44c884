"""Reference files: which ones apply (CRDS, parameter references, overrides) and what they contain."""
