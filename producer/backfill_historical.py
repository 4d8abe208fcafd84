#!/usr/bin/env python3
"""Sends months of history to where KAFKA_BOOTSTRAP_SERVERS and CLICKHOUSE_HOST say.

Stopped at any time, what is sent is kept; run again, it goes on, and sends nothing twice. The same
as `retail-datagen backfill`, which has more options: they may be given here, too.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta

from retail_datagen.cli.app import main as retail_datagen

MONTHS_TO_BACKFILL = 12  # How many months of 30 days, until yesterday.
EVENTS_PER_HOUR = 5  # On the average: busy hours, days and months have more.

# Dates of one's own, such as datetime(2023, 1, 1); both days are included. Without the first it is
# so many months until the last, without the last it is until today.
start_date: datetime | None = None
end_date: datetime | None = None

# Seasons, hours and stores are settings of the profile: see docs/guides/profiles.md.


def main() -> None:
    given = sys.argv[1:]
    if any(
        text.split("=")[0] in ("--months", "--start", "--end", "-h", "--help") for text in given
    ):
        days = []
    elif start_date is None and end_date is None:
        days = [f"--months={MONTHS_TO_BACKFILL}"]
    else:
        last = end_date or datetime.now()
        first = start_date or last - timedelta(days=30 * MONTHS_TO_BACKFILL - 1)
        days = [f"--start={first:%Y-%m-%d}", f"--end={last:%Y-%m-%d}"]
    # Other feeds than the hub are sent whole.
    whole = any(text == "--all" or text.split("=")[0] == "--feed" for text in given)
    thinned = [] if whole else [f"--events-per-hour={EVENTS_PER_HOUR}"]
    retail_datagen(["backfill", *days, *thinned, *given])


if __name__ == "__main__":
    main()
