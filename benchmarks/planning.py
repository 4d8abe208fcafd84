"""How much of the job is planning, which is the only part that goes day by day."""

from __future__ import annotations

from benchmarks.floor import PARQUET
from benchmarks.lab import Lab
from benchmarks.result import Check, Section


def planning(lab: Lab) -> Section:
    retailer, days = lab.plan.large, lab.plan.month
    job = lab.job(retailer, days, "parquet", 1)
    floor = lab.floor(retailer, days, PARQUET)
    total = job.usage.cpu_seconds
    return Section(
        "planning",
        "Planning's share",
        f"{retailer}, {days.days} days, Parquet, one worker. Planning is all that comes before a "
        "day can be rendered, day plans and states written to disk included.",
        ("part", "CPU-s", "a day", "share"),
        [
            ("the whole job", f"{total:.2f}", f"{total / days.days:.3f}", "100 %"),
            (
                "planning",
                f"{floor.plan_seconds:.2f}",
                f"{floor.plan_seconds / days.days:.3f}",
                f"{floor.plan_seconds / total:.1%}",
            ),
            ("plans and states on disk", f"{floor.plan_bytes / 1e6:.1f} MB", "", ""),
        ],
        [Check("planning's share of CPU", 100 * floor.plan_seconds / total, 20.0, unit=" %")],
    )
