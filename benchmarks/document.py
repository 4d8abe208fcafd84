"""The table "Recommended Specifications" of the earlier scripts, beside what we measure."""

from __future__ import annotations

from benchmarks.lab import Lab
from benchmarks.result import Section

_RECOMMENDED = (
    ("30 seconds", "100 MB", "50 MB"),
    ("5 minutes", "500 MB", "500 MB"),
    ("45 minutes", "2 GB", "5 GB"),
)
"""Generation time, memory and storage a day of its 10, 100 and 1,000 stores."""


def document(lab: Lab) -> Section:
    """The earlier table does not say for how many days its times are; ours are for thirty."""
    days = lab.plan.month
    rows = []
    for retailer, theirs in zip(
        (lab.plan.small, lab.plan.medium, lab.plan.large), _RECOMMENDED, strict=True
    ):
        job = lab.job(retailer, days, "parquet", 2)
        text = lab.job(retailer, days, "csv", 1)
        rows.append(
            (
                str(retailer),
                theirs[0],
                f"{job.usage.wall_seconds:.1f} s",
                theirs[1],
                f"{job.usage.peak_bytes / 1e6:,.0f} MB",
                theirs[2],
                f"{job.bytes / days.days / 1e6:,.1f} MB",
                f"{text.bytes / days.days / 1e6:,.1f} MB",
            )
        )
    return Section(
        "document",
        "The earlier scripts' own table",
        f"Its time, memory and storage a day, each followed by ours: {days.days} days from "
        f"{days.first}, all tables as Parquet with two workers; the last column is the storage of "
        "the same days as CSV. The earlier table does not say for how many days its times are.",
        (
            "size",
            "time",
            "ours",
            "memory",
            "ours",
            "storage/day",
            "ours, Parquet",
            "ours, CSV",
        ),
        rows,
    )
