"""Sessions: an exposure, what was done to it and why, and how to get back."""
