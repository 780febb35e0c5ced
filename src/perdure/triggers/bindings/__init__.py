"""Input bindings: each module has `build(settings)`, which returns the source of a component."""
