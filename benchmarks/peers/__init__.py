"""The same workloads on perdure and on its peers, in one run: `python -m benchmarks.peers`.

Never a gate. A peer that cannot be installed is named with the reason and left out.
"""
