"""What the questions share: the span of time that they are about, and words of both dialects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    Integer,
    String,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal_column,
    select,
    type_coerce,
)

from retail_datagen.store.database import models as m

Bucket = Literal["hour", "day", "week", "month"]
MOST_DAYS = 3660
DAY = timedelta(days=1)
_sales = m.purchase_events.c
_SQLITE_BUCKETS: dict[Bucket, tuple[str, ...]] = {
    "hour": ("%Y-%m-%d %H:00:00.000000",),
    "day": ("%Y-%m-%d 00:00:00.000000",),
    # On to Sunday, unless it is one, and back to its Monday.
    "week": ("%Y-%m-%d 00:00:00.000000", "weekday 0", "-6 days"),
    "month": ("%Y-%m-01 00:00:00.000000",),
}


@dataclass(frozen=True, slots=True)
class Window:
    """A span of the store's time: after `start`, up to `end` and including it."""

    start: datetime
    end: datetime

    @property
    def days(self) -> float:
        return (self.end - self.start) / DAY

    def before(self) -> Window:
        """The span of the same length that ends where this one begins."""
        return Window(self.start - (self.end - self.start), self.start)

    def holds(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether a column's time is within it."""
        return and_(column > self.start, column <= self.end)


def latest(connection: Connection) -> datetime:
    """The store's now: this machine's wall clock, or the ledger's last instant if that is later."""
    now = datetime.now().replace(microsecond=0)
    last: datetime | None = connection.scalar(select(func.max(m.stock_movements.c.occurred_at)))
    return max(now, last or now)


def window(connection: Connection, days: int, until: datetime | None = None) -> Window:
    """So many whole days and that of `until`, or of now, as far as it has come.

    All questions share it, so that their figures agree.
    """
    end = until or latest(connection)
    today = end.replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(today - timedelta(days=days), end)


def observed_days(connection: Connection, span: Window) -> float:
    """For how much of a span the store has been there, in days; one at least."""
    first: datetime | None = connection.scalar(select(func.min(m.stock_movements.c.occurred_at)))
    begun = max(span.start, first or span.start)
    return max((span.end - begun) / DAY, 1.0)


def sold(span: Window, name: str = "sold") -> Subquery:
    """Of each product that was bought: units, revenue, and when last."""
    return (
        select(
            _sales.product_id,
            func.count().label("units"),
            func.sum(_sales.unit_price).label("revenue"),
            func.max(_sales.occurred_at).label("last_at"),
        )
        .where(span.holds(_sales.occurred_at))
        .group_by(_sales.product_id)
        .subquery(name)
    )


def bucket(
    connection: Connection, column: ColumnElement[Any], unit: Bucket
) -> ColumnElement[datetime]:
    """When the hour, day, week (Monday) or month of a time begins."""
    if connection.dialect.name == "postgresql":
        # Not a parameter: the same one in SELECT and GROUP BY would be two to the server.
        return func.date_trunc(_word(unit), column, type_=DateTime())
    form, *steps = (_word(word) for word in _SQLITE_BUCKETS[unit])
    return type_coerce(func.strftime(form, column, *steps), DateTime())


def _word(text: str) -> ColumnElement[str]:
    """One of our own words as a text within a statement."""
    return literal_column(f"'{text}'", String())


def basket(connection: Connection) -> ColumnElement[Any]:
    """A purchase's basket as a key to group and join by; none stays none.

    PostgreSQL compares its 64-bit hash, which takes a third of the time of texts.
    """
    if connection.dialect.name == "postgresql":
        return func.hashtextextended(_sales.basket_id, literal_column("0"), type_=BigInteger())
    return _sales.basket_id


def floored(connection: Connection, value: ColumnElement[Any]) -> ColumnElement[Any]:
    """The largest whole number that is not above a value."""
    if connection.dialect.name == "postgresql":
        return func.floor(value)
    # SQLite has FLOOR only where it was built with it; its casts cut towards zero.
    cut = cast(value, Integer)
    return cut - case((value < cut, 1), else_=0)


def amount(value: Decimal | float | int | None) -> float:
    """Money as a number with two decimals; nothing is none of it."""
    return round(float(value or 0), 2)


def share(part: float, whole: float) -> float:
    """A part of a whole, 0 to 1; nothing of nothing is 0."""
    return round(part / whole, 6) if whole else 0.0


def change(now: float, before: float) -> float | None:
    """By which share something grew; none where there was nothing before."""
    return round(now / before - 1, 4) if before else None
