"""What the brokers of pub/sub and bindings share, a module for each client library."""
