"""Which moment of the history a live stream plays."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from retail_datagen.config.errors import UserError
from retail_datagen.core.calendar import DAY_SECONDS, named_days, to_date, to_day
from retail_datagen.schema.stamps import instants
from retail_datagen.streaming.days import Days, midnight

SCENARIOS = ("peak-hours", "weekend", "black-friday")
_SATURDAY = 5


def sim_start_of(text: str, zone: str) -> int:
    """The instant of a local time such as 2024-11-29T17:00, or of a day's midnight.

    Raises UserError.
    """
    try:
        local = datetime.fromisoformat(text)
        if local.tzinfo is not None:
            raise ValueError(text)
    except ValueError:
        raise UserError(
            f"sim-start: {text!r} is no local time; write it as 2024-11-29T17:00, or 2024-11-29"
        ) from None
    seconds = int((local - datetime(1970, 1, 1)).total_seconds())
    return int(instants(np.array([seconds]), zone)[0])


def check_scenario(name: str, sim_start: int | None) -> None:
    """Raises UserError for an unknown one, and beside an hour that was chosen otherwise."""
    if name not in SCENARIOS:
        raise UserError(f"scenario: {name!r} is not known; allowed are {', '.join(SCENARIOS)}")
    if sim_start is not None:
        raise UserError("scenario: --scenario chooses the hour; leave --sim-start out")


def scenario_day(name: str, today: int) -> int:
    """The day that a scenario is about: today, the last Saturday, the last Black Friday."""
    date = to_date(today)
    match name:
        case "peak-hours":
            return today
        case "weekend":
            return to_day(date - timedelta(days=(date.weekday() - _SATURDAY) % 7))
        case _:
            fridays = [named_days("black_friday", date.year - back)[0] for back in (0, 1)]
            return to_day(next(friday for friday in fridays if friday <= date))


def busiest_hour(days: Days, table: str, day: int, zone: str) -> int:
    """The instant at which that hour of a day begins in which a table has most rows."""
    declared = days.table(table, day)
    rows = days.rows(table, day)
    seconds = rows[declared.time_column].cast("timestamp[s]").cast("int64").to_numpy()
    if not len(seconds):
        return midnight(day, zone)
    hour = int(np.bincount((seconds % DAY_SECONDS) // 3600).argmax())
    return int(instants(np.array([day * DAY_SECONDS + hour * 3600]), zone)[0])
