"""Floor 7: the command line, which talks to a server over its API."""
