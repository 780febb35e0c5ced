"""Floor 3: the ring that carries requests and turns through the core to the store and back."""
