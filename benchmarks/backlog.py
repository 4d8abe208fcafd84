"""The six-year backlog of a web shop's lake, beside what its document says of the earlier one."""

from __future__ import annotations

from datetime import date, timedelta

from benchmarks.lab import Lab
from benchmarks.result import Check, Section

_FIRST = date(2020, 1, 1)
_THEIRS = ("5 to 8 hours", "about 17")
"""Runtime, and gigabytes, of the whole backlog, as the document has them."""


def backlog(lab: Lab) -> Section:
    """All of it with the defaults, to a local folder, and its check by `lake verify`."""
    days = lab.plan.backlog_days
    last = _FIRST + timedelta(days=days - 1)
    lake = lab.lake(_FIRST, last)
    made, checked = lake.made, lake.checked
    return Section(
        "backlog",
        "Six years of a lake",
        f"`retail-datagen backlog` with its defaults, {_FIRST} to {last}: 300,000 customers, 3,000 "
        "products, medium_mess, all tables of the shop with histories, master data included, to a "
        "local folder; then `retail-datagen lake verify`, which reads every file and found "
        "nothing. Below, what the earlier scripts' document says of theirs.",
        ("job", "rows", "partitions", "wall s", "CPU-s", "rows/s", "peak MB", "GB"),
        [
            (
                f"backlog, {days:,} days",
                f"{lake.rows:,}",
                f"{lake.partitions:,}",
                f"{made.wall_seconds:.1f}",
                f"{made.cpu_seconds:.1f}",
                f"{lake.rows / made.wall_seconds:,.0f}",
                f"{made.peak_bytes / 1e6:,.0f}",
                f"{lake.bytes / 1e9:.2f}",
            ),
            (
                "lake verify",
                f"{lake.rows:,}",
                f"{lake.partitions:,}",
                f"{checked.wall_seconds:.1f}",
                f"{checked.cpu_seconds:.1f}",
                f"{lake.rows / checked.wall_seconds:,.0f}",
                f"{checked.peak_bytes / 1e6:,.0f}",
                "",
            ),
            ("the earlier scripts", "", "", _THEIRS[0], "", "", "", _THEIRS[1]),
        ],
        [
            Check("wall time", made.wall_seconds, 300, unit=" s"),
            Check("peak memory of all processes (PSS)", made.peak_bytes / 1e9, 1.5, unit=" GB"),
            Check("orders a day", lake.orders / days, lab.plan.backlog_orders, at_least=True),
            Check("rows of facts a day", lake.facts / days, lab.plan.backlog_rows, at_least=True),
        ],
    )
