"""Messages from outside become workflows, or events for one, with nothing between to lose them."""
