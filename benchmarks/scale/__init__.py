"""A large fleet under a virtual clock: the real leases and placement of a thousand nodes."""
