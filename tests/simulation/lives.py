"""Runs of the simulator for tests."""

from perdure.app.prove import ProofStore, simulation
from perdure.proving.report import Report


def lived(seed: int, hours: float, store: ProofStore = ProofStore.MEMORY) -> Report:
    """Run one seed to its end."""
    with simulation(seed, hours, store) as made:
        return made.run()
