"""The calendar table: one row a day, with civil and retail dates, holidays and how busy it is.

Generation uses the factors, events and hours as they stand in the file, so a user may edit them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from retail_datagen.config.models import RetailConfig
from retail_datagen.config.profile import Profile
from retail_datagen.core import calendar
from retail_datagen.core.arrays import I64
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.world.day_factors import PPM, day_factors, event_names
from retail_datagen.world.errors import MasterDataError
from retail_datagen.world.files import MasterFile
from retail_datagen.world.model import Calendar

_WEATHER = ("FAIR", "BAD")
CALENDAR = Table(
    name="calendar",
    doc="Days, civil and retail (4-5-4), with the factors of their traffic.",
    columns=(
        Column("Date", Kind.DATE, "Day"),
        Column("Year", Kind.INT, "Civil year"),
        Column("Quarter", Kind.INT, "Civil quarter, 1 to 4"),
        Column("Month", Kind.INT, "Civil month, 1 to 12"),
        Column("Week", Kind.INT, "ISO 8601 week"),
        Column("DayOfWeek", Kind.INT, "1 for Monday to 7 for Sunday"),
        Column("DayName", Kind.CATEGORY, "Monday to Sunday"),
        Column("IsWeekend", Kind.FLAG, "Saturday or Sunday"),
        Column("RetailYear", Kind.INT, "Year of the retail 4-5-4 calendar"),
        Column("RetailQuarter", Kind.INT, "Its quarter, 1 to 4"),
        Column("RetailPeriod", Kind.INT, "Its period (month), 1 to 12"),
        Column("RetailWeek", Kind.INT, "Its week, 1 to 53"),
        Column("Holiday", Kind.TEXT, "Public holiday", null=True),
        Column("Event", Kind.CATEGORY, "Named day of the profile", null=True),
        Column("Weather", Kind.CATEGORY, "BAD keeps shoppers at home", words=_WEATHER),
        Column("FlashSale", Kind.FLAG, "Whether there is a flash sale"),
        Column("TrafficFactor", Kind.FLOAT, "Shoppers in stores, in average days; 0: closed"),
        Column("OnlineFactor", Kind.FLOAT, "Online orders, in average days"),
        Column("OpensEarlier", Kind.INT, "Hours that stores open before their usual hour"),
        Column("ClosesLater", Kind.INT, "Hours that stores close after their usual hour"),
    ),
    key=("Date",),
)


def build_calendar(config: RetailConfig, profile: Profile) -> pa.Table:
    """One row for each day of `config.calendar`."""
    first, last = config.calendar.first, config.calendar.last
    temporal = profile.temporal
    factors = day_factors(temporal, profile.online, config.seed, first, last)
    days = calendar.days_between(first, last)
    weekday = calendar.weekday(days)
    retail = calendar.retail_dates(days)
    civil = _civil(days)
    kept = calendar.holiday_names(temporal.country, first.year, last.year)
    holidays = {calendar.to_day(day): name for day, name in kept.items()}
    earlier = np.array([day.opens_earlier for day in temporal.named_days] + [0])
    later = np.array([day.closes_later for day in temporal.named_days] + [0])
    events = pa.array([*event_names(temporal.named_days), ""])
    return pa.table(
        {
            "Date": pa.array(days.astype(np.int32)).cast(pa.date32()),
            **civil,
            "DayName": pa.array(calendar.WEEKDAYS).take(pa.array(weekday)),
            "IsWeekend": weekday >= 5,
            "RetailYear": retail.year,
            "RetailQuarter": retail.quarter,
            "RetailPeriod": retail.period,
            "RetailWeek": retail.week,
            "Holiday": [holidays.get(day, "") for day in days.tolist()],
            "Event": events.take(pa.array(factors.named % np.int8(len(events)))),
            "Weather": pa.array(_WEATHER).take(pa.array(factors.bad_weather.view(np.int8))),
            "FlashSale": factors.flash_sale,
            "TrafficFactor": factors.traffic_ppm / PPM,
            "OnlineFactor": factors.online_ppm / PPM,
            "OpensEarlier": earlier[factors.named],
            "ClosesLater": later[factors.named],
        }
    )


def _civil(days: I64) -> dict[str, I64]:
    """What the civil calendar says of days since 1970-01-01, by column."""
    month, weekday = calendar.month(days), calendar.weekday(days)
    return {
        "Year": calendar.year(days),
        "Quarter": month // 3 + 1,
        "Month": month + 1,
        "Week": calendar.iso_week(days),
        "DayOfWeek": weekday + 1,
    }


def calendar_file(path: Path, shown: Path | None = None) -> MasterFile:
    """The file with all columns: those that the world does not need may be wrong."""
    return MasterFile(path, CALENDAR, shown=shown)


def read_calendar(file: MasterFile, profile: Profile) -> Calendar:
    """The calendar in order of days. Raises MasterDataError when a day is missing."""
    file.unique("Date")
    named = file.choices("Event", event_names(profile.temporal.named_days), also="")
    traffic = file.scaled("TrafficFactor", PPM, 0, 50)
    online = file.scaled("OnlineFactor", PPM, 0, 50)
    earlier = file.ints("OpensEarlier", 0, 24)
    later = file.ints("ClosesLater", 0, 24)
    days = file.days("Date")
    for name, right in _civil(days).items():
        file.require(file.ints(name) == right, name, "what Date says")
    weekend = calendar.weekday(days) >= 5
    file.require(file.flags("IsWeekend") == weekend, "IsWeekend", "what Date says")
    order = np.argsort(days, kind="stable")
    days = days[order]
    gaps = np.flatnonzero(np.diff(days) != 1)
    if len(gaps):
        raise MasterDataError(
            f"{file.path}: no row for {calendar.to_date(int(days[gaps[0]]) + 1)}; the calendar "
            "needs every day between its first and its last"
        )
    return Calendar(
        int(days[0]),
        traffic[order],
        online[order],
        named[order].astype(np.int8),
        earlier[order].astype(np.int8),
        later[order].astype(np.int8),
    )
