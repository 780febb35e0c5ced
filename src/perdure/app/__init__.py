"""Floor 6: configuration, and the one place that names concrete classes."""
