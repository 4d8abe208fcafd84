"""What is bought together: pairs of products or categories within baskets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import CTE, Connection, Float, Row, Select, cast, func, select, true

from retail_datagen.store.analytics.window import basket, share, window
from retail_datagen.store.database import models as m

_products, _sales = m.products.c, m.purchase_events.c

Level = Literal["product", "category"]
Order = Literal["lift", "baskets"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two that were bought together. `confidence` is the share of baskets with the first that
    have the second too; a `lift` above 1 says that they go together more than by chance."""

    first: str
    second: str
    first_name: str
    second_name: str
    baskets: int
    support: float
    confidence: float
    reverse_confidence: float
    lift: float


@dataclass(frozen=True, slots=True)
class Affinity:
    """Pairs, and how many baskets there were."""

    baskets: int
    pairs: list[Pair]


def affinity(
    connection: Connection,
    days: int,
    limit: int,
    level: Level = "product",
    order: Order = "lift",
    min_baskets: int = 2,
    until: datetime | None = None,
) -> Affinity:
    """Pairs that `min_baskets` baskets hold at least. Names are empty for categories."""
    span = window(connection, days, until)
    lines = _lines(connection, level)
    lines = lines.where(span.holds(_sales.occurred_at), _sales.basket_id.is_not(None))
    held = lines.distinct().cte("held")
    together = select(held.c.basket).group_by(held.c.basket).subquery()
    counted = select(func.count().label("n")).select_from(together)
    found = _pairs(held, counted.cte("whole"), order, min_baskets).limit(limit)
    rows = connection.execute(found).all()
    # Without a pair no row tells how many baskets there were.
    baskets: int = rows[0].whole if rows else connection.scalar(counted) or 0
    names = _names(connection, level, {row.first for row in rows} | {row.second for row in rows})
    return Affinity(baskets, [_pair(row, names, baskets) for row in rows])


def _pairs(held: CTE, whole: CTE, order: Order, min_baskets: int) -> Select[Any]:
    """Pairs of what baskets have `held`: in how many both are (n), the first (a), the second (b),
    and how many baskets there are on the `whole`."""
    one, two = held.alias("one"), held.alias("two")
    joint = (
        select(one.c.what.label("first"), two.c.what.label("second"), func.count().label("n"))
        .join_from(one, two, (one.c.basket == two.c.basket) & (one.c.what < two.c.what))
        .group_by(one.c.what, two.c.what)
        .having(func.count() >= min_baskets)
        .cte("joint")
    )
    single = select(held.c.what, func.count().label("n")).group_by(held.c.what).cte("single")
    a, b = single.alias("a"), single.alias("b")
    lift = cast(joint.c.n, Float) / (cast(a.c.n, Float) * b.c.n)
    leading = (lift.desc(), joint.c.n.desc())
    columns = (
        *(joint.c.first, joint.c.second, joint.c.n),
        *(a.c.n.label("a"), b.c.n.label("b"), whole.c.n.label("whole")),
    )
    return (
        select(*columns)
        .join(a, a.c.what == joint.c.first)
        .join(b, b.c.what == joint.c.second)
        .join(whole, true())
        .order_by(*(leading if order == "lift" else leading[::-1]))
        .order_by(joint.c.first, joint.c.second)
    )


def _pair(row: Row[Any], names: dict[Any, tuple[str, str]], baskets: int) -> Pair:
    return Pair(
        *(names[row.first][0], names[row.second][0]),
        *(names[row.first][1], names[row.second][1]),
        baskets=row.n,
        support=share(row.n, baskets),
        confidence=share(row.n, row.a),
        reverse_confidence=share(row.n, row.b),
        lift=round(row.n * baskets / (row.a * row.b), 4),
    )


def _lines(connection: Connection, level: Level) -> Select[Any]:
    key = basket(connection).label("basket")
    if level == "product":
        return select(key, _sales.product_id.label("what"))
    category = func.coalesce(_products.category, "").label("what")
    return select(key, category).join_from(m.purchase_events, m.products)


def _names(connection: Connection, level: Level, keys: set[Any]) -> dict[Any, tuple[str, str]]:
    """SKU and name of products, by id; a category is its own."""
    if level == "category":
        return {key: (key, "") for key in keys}
    rows = select(_products.id, _products.sku, _products.name).where(_products.id.in_(keys))
    return {row.id: (row.sku, row.name) for row in connection.execute(rows)}
