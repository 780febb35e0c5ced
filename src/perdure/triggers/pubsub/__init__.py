"""The brokers of pub/sub, a module for each type of component."""
