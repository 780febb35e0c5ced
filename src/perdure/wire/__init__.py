"""Floor 2: what travels. Our own messages, and the way between them and the core's records."""
