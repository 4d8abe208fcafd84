"""Stamps: identifiers that say which row of which day, and instants in a zone that skips hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from retail_datagen.core.calendar import to_day
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema.stamps import event_ids, instants, stamp

NEW_YORK = "America/New_York"


def local(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[misc]


def utc(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def test_an_identifier_is_table_day_and_row() -> None:
    ids = event_ids("receipts", to_day(date(2024, 1, 17)), 41, 3).to_pylist()
    assert ids == [f"receipts-20240117-{row:08}" for row in (41, 42, 43)]


def test_the_doubled_hour_is_the_first_one_and_the_missing_hour_is_the_change() -> None:
    doubled = [local(2024, 11, 3, 0, 59), local(2024, 11, 3, 1, 30), local(2024, 11, 3, 2, 0)]
    assert [utc(t) for t in instants(np.array(doubled), NEW_YORK)] == [
        datetime(2024, 11, 3, 4, 59, tzinfo=UTC),
        datetime(2024, 11, 3, 5, 30, tzinfo=UTC),
        datetime(2024, 11, 3, 7, 0, tzinfo=UTC),
    ]
    missing = [local(2024, 3, 10, 1, 59), local(2024, 3, 10, 2, 30), local(2024, 3, 10, 3, 0)]
    assert [utc(t) for t in instants(np.array(missing), NEW_YORK)] == [
        datetime(2024, 3, 10, 6, 59, tzinfo=UTC),
        datetime(2024, 3, 10, 7, 0, tzinfo=UTC),
        datetime(2024, 3, 10, 7, 0, tzinfo=UTC),
    ]


@given(st.lists(st.integers(local(2023, 1, 1), local(2026, 1, 1)), min_size=2))
def test_later_local_times_are_never_earlier_instants(seconds: list[int]) -> None:
    found = instants(np.array(sorted(seconds)), NEW_YORK)
    assert (np.diff(found) >= 0).all()


@given(st.integers(local(2023, 1, 1), local(2026, 1, 1)))
def test_an_instant_shows_the_local_time_it_came_from(second: int) -> None:
    shown = utc(int(instants(np.array([second]), NEW_YORK)[0])).astimezone(ZoneInfo(NEW_YORK))
    meant = datetime.fromtimestamp(second, UTC).replace(tzinfo=None)
    assert shown.replace(tzinfo=None) - meant <= timedelta(hours=1)
    if not (meant.month == 3 and meant.hour == 2):
        assert shown.replace(tzinfo=None) == meant


def test_a_table_without_a_time_is_stamped_with_its_day() -> None:
    table = Table("stores", "", (Column("StoreID", Kind.INT, ""),), ("StoreID",))
    day = to_day(date(2024, 1, 17))
    stamped = stamp(table, day, 0, pa.table({"StoreID": [1, 2]}), "UTC")
    assert [utc(t) for t in stamped.instant] == [datetime(2024, 1, 17, tzinfo=UTC)] * 2
    twice = stamped.take(np.array([1, 1, 0]))
    assert twice.event_id.to_pylist() == [f"stores-20240117-{r:08}" for r in (1, 1, 0)]
    assert twice.rows["StoreID"].to_pylist() == [2, 2, 1]
