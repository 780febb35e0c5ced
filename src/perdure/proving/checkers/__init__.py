"""The checkers: one file for each promise, each of which a deliberate breakage has to meet."""
