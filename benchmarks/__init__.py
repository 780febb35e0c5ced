"""Measurements: `python -m benchmarks`. Never a gate; every report names the fsync setting."""
