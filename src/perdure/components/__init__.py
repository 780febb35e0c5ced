"""Floor 4: what a workflow component is, and the ones that this server offers."""
