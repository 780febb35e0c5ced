"""Real brokers as processes of the tests."""
