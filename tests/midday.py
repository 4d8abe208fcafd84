"""A time zone in which it is early afternoon: tests of today neither cross midnight nor find a day
on which nothing has happened yet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_AHEAD = 14 - datetime.now(UTC).hour
ZONE = f"Etc/GMT{-_AHEAD:+d}" if _AHEAD else "UTC"
"""Its name; those of Etc count westwards. It stays the same while the process runs."""


def day(back: int) -> str:
    """The day there so many days ago; negative: ahead."""
    return (datetime.now(ZoneInfo(ZONE)) - timedelta(days=back)).date().isoformat()
