"""Floor 5: logs, metrics and traces, behind the observer of the base."""
