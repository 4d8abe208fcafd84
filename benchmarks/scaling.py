"""Two workers against one, the large month on two cores, and memory over a year."""

from __future__ import annotations

from benchmarks.lab import Lab, Output
from benchmarks.result import Check, Section
from benchmarks.sizes import PEAK_FIRST_DAY, Range

_COLUMNS = ("job", "rows", "wall s", "CPU-s", "rows/s", "peak MB")


def workers(lab: Lab) -> Section:
    retailer, plan = lab.plan.large, lab.plan
    rows, gained = [], []
    for days in (plan.month, plan.long):
        one = lab.quickest_job(retailer, days, "parquet", 1)
        two = lab.quickest_job(retailer, days, "parquet", 2)
        rows += [
            _row(f"{days.days} days, one worker", one),
            _row(f"{days.days} days, two workers", two),
        ]
        gained.append(one.usage.wall_seconds / two.usage.wall_seconds)
    return Section(
        "workers",
        "Two workers",
        f"{retailer}, as Parquet, the quickest of {plan.month_runs} and {plan.two_months_runs} "
        "runs. One process plans and renders; with two workers, another renders beside it, which "
        f"takes a second to start: in {plan.month.days} days it gains {gained[0]:.2f} times.",
        _COLUMNS,
        rows,
        [
            Check(
                f"wall time of one worker ÷ of two, {plan.long.days} days",
                gained[1],
                1.75,
                at_least=True,
            )
        ],
    )


def month(lab: Lab) -> Section:
    retailer, days = lab.plan.large, lab.plan.month
    job = lab.job(retailer, days, "parquet", 2)
    return Section(
        "month",
        "A month of a large chain",
        f"{retailer}, {days.days} days from {days.first}, all tables as Parquet, two workers.",
        _COLUMNS,
        [_row(f"{days.days} days", job)],
        [
            Check("wall time", job.usage.wall_seconds, 40.0, unit=" s"),
            Check(
                f"peak memory of all processes ({job.usage.memory})",
                job.usage.peak_bytes / 1e9,
                1.5,
                unit=" GB",
            ),
        ],
    )


def memory(lab: Lab) -> Section:
    retailer = lab.plan.medium
    short = Range(PEAK_FIRST_DAY, lab.plan.days)
    long = Range(PEAK_FIRST_DAY, lab.plan.year)
    few = lab.job(retailer, short, "parquet", 2)
    many = lab.job(retailer, long, "parquet", 2)
    return Section(
        "memory",
        "Memory over a year",
        f"{retailer}, as Parquet, two workers, from {PEAK_FIRST_DAY}: the busiest day of the year, "
        "Black Friday, is in both ranges.",
        _COLUMNS,
        [_row(f"{short.days} days", few), _row(f"{long.days} days", many)],
        [
            Check(
                f"peak memory of {long.days} days ÷ of {short.days}",
                many.usage.peak_bytes / few.usage.peak_bytes,
                1.1,
            )
        ],
    )


def _row(name: str, job: Output) -> tuple[str, ...]:
    usage = job.usage
    return (
        name,
        f"{job.rows:,}",
        f"{usage.wall_seconds:.1f}",
        f"{usage.cpu_seconds:.1f}",
        f"{job.rows / usage.wall_seconds:,.0f}",
        f"{usage.peak_bytes / 1e6:,.0f}",
    )
