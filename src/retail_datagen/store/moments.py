"""The ledger's time: moments as datetime64, its clock, and what may still be written.

Nothing may happen at or before a snapshot: it says what the stock was then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, func, select

from retail_datagen.store.database.models import stock_movements, stock_snapshots

When = datetime | Sequence[datetime] | np.ndarray[Any, Any]
"""One time for all rows, or one for each; wall clock, without a zone."""
_TICK = timedelta(microseconds=1)


class LedgerError(ValueError):
    """What was asked for would break the ledger's rules; nothing was written."""


def moments(at: When, count: int) -> Any:
    """`count` times as datetime64[us]. Raises LedgerError for times with a zone, or too few."""
    if isinstance(at, datetime) and at.tzinfo is not None:
        raise LedgerError(f"at: {at} has a zone; times are the store's wall clock")
    given = np.asarray(at, dtype="M8[us]")
    if given.ndim and len(given) != count:
        raise LedgerError(f"at: {len(given)} times for {count} rows")
    return np.broadcast_to(given, count)


def checked(connection: Connection, moment: Any) -> Any:
    """The moments, all after the last snapshot. Raises LedgerError."""
    last = last_snapshot(connection)
    if last and len(moment) and moment.min() <= np.datetime64(last):
        raise LedgerError(
            f"at: {moment.min()} is not after the snapshot of {last}, which says what the stock "
            "was then"
        )
    return moment


def clock(connection: Connection) -> datetime:
    """This machine's wall clock, or the first time that may be written if that is later."""
    latest = connection.scalar(select(func.max(stock_movements.c.occurred_at)))
    snapshot = last_snapshot(connection)
    now = datetime.now()
    return max(now, latest or now, snapshot + _TICK if snapshot else now)


def last_snapshot(connection: Connection) -> datetime | None:
    """When the last snapshot was taken."""
    taken: datetime | None = connection.scalar(select(func.max(stock_snapshots.c.taken_at)))
    return taken
