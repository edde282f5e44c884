"""The previews of steps that have one of their own, by name: ``PREVIEW`` in each module."""
