"""Floor 5: the front doors. Each one translates, and asks the same component interface."""
