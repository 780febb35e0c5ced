"""Floor 2: where commits land. One port, and the stores that keep its promises."""
