"""How fast, how large, how much memory: measured as ratios in one run. `python -m benchmarks`."""
