#!/usr/bin/env python3
"""Sends months of history to where KAFKA_BOOTSTRAP_SERVERS and CLICKHOUSE_HOST say.

Stopped at any time, what is sent is kept; run again, it goes on, and sends nothing twice. The same
as `retail-datagen backfill`, which has more options: they may be given here, too.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import date, datetime, timedelta

from retail_datagen.cli.app import main as retail_datagen
from retail_datagen.streaming.backfill import DAYS_A_MONTH, MOST_MONTHS

MONTHS_TO_BACKFILL = 12  # How many months of 30 days, until yesterday.
EVENTS_PER_HOUR = 5  # On the average: busy hours, days and months have more.

# Dates of one's own, such as datetime(2023, 1, 1) or "2023-01-01"; both days are included. Without
# the first it is so many months until the last, without the last it is until yesterday.
start_date: date | str | None = None
end_date: date | str | None = None

# Seasons, hours and stores are settings of the profile: see docs/guides/profiles.md.


def main() -> None:
    given = sys.argv[1:]
    asked = {text.split("=")[0] for text in given}
    try:
        days = [] if asked & {"--months", "--start", "--end", "-h", "--help"} else chosen_days()
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    # Other feeds than the hub are sent whole.
    whole = any(text == "--all" or text.split("=")[0] == "--feed" for text in given)
    thinned = [] if whole else [f"--events-per-hour={EVENTS_PER_HOUR}"]
    retail_datagen(["backfill", *days, *thinned, *given])


def chosen_days() -> list[str]:
    """The days above as options. Raises ValueError, which names what to change."""
    first, last = day_of("start_date", start_date), day_of("end_date", end_date)
    until = [] if last is None else [f"--end={last}"]
    if first is not None:
        return [f"--start={first}", *until]
    months = MONTHS_TO_BACKFILL
    if not isinstance(months, int) or not 1 <= months <= MOST_MONTHS:
        raise ValueError(
            f"MONTHS_TO_BACKFILL: {months!r} is not allowed; give a whole number from 1 to "
            f"{MOST_MONTHS}"
        )
    if last is None:
        return [f"--months={months}"]
    return [f"--start={last - timedelta(days=DAYS_A_MONTH * months - 1)}", *until]


def day_of(name: str, value: object) -> date | None:
    """The day without its time. Raises ValueError."""
    if isinstance(value, str):
        with suppress(ValueError):
            value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    raise ValueError(
        f'{name}: {value!r} is not a day; write datetime(2024, 1, 30) or "2024-01-30", or None'
    )


if __name__ == "__main__":
    main()
