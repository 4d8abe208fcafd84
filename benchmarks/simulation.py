"""How much faster than real time a store is simulated, with everything going into its books."""

from __future__ import annotations

from benchmarks.lab import Lab
from benchmarks.result import Check, Section

_TIMES_REAL = 20.0


def simulation(lab: Lab) -> Section:
    """A full store and 50 shoppers, into SQLite, positions at eight a second."""
    items, seconds = lab.plan.simulated_items, lab.plan.simulated_seconds
    run = lab.simulation(items, seconds)
    times = seconds / run.usage.cpu_seconds
    return Section(
        "simulation",
        "The live simulation",
        f"{items:,} items, 50 shoppers, three readers, {seconds:,} simulated seconds unpaced "
        "into SQLite with --analytics; CPU of the whole command, its start included. Positions "
        "change eight times a simulated second.",
        ("CPU-s", "memory", "items sold", "restocked", "readings", "× real time"),
        [
            (
                f"{run.usage.cpu_seconds:.1f}",
                f"{run.usage.peak_bytes / 1e6:,.0f} MB",
                f"{run.sold:,}",
                f"{run.restocked:,}",
                f"{run.detections:,}",
                f"{times:.0f}",
            )
        ],
        [Check("simulated seconds per CPU-second", times, _TIMES_REAL, at_least=True, unit=" ×")],
    )
