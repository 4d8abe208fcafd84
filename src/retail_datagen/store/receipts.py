"""A generated retailer's store as one of single items: its stock, and its receipts as the past.

Every unit of the history is an item: opening stock, what trucks brought and customers returned.
The oldest item of a product leaves first, so the last ones that came are the stock at the end. What
was picked for online orders has moved elsewhere; only what passed a till is a purchase.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, func, select, true, update

from retail_datagen.config.errors import UserError
from retail_datagen.core.arrays import I64
from retail_datagen.store.arrivals import tag_names
from retail_datagen.store.database import models as m
from retail_datagen.store.database.engine import shown_url, writing
from retail_datagen.store.epc import MOST_REFERENCE, epcs
from retail_datagen.store.facts import StoreFacts
from retail_datagen.store.items import Inventory, stock_levels
from retail_datagen.store.lease import refuse_beside_simulation
from retail_datagen.store.placement import places, spots
from retail_datagen.store.rewrite import PRESENT_STILL, Lives, write_past
from retail_datagen.store.rows import ItemRows, ProductRows
from retail_datagen.store.runs import Progress, Replaced, Summary, note_run, replaced_of
from retail_datagen.store.snapshots import write_snapshots
from retail_datagen.store.takeback import take_back

_OPENING = "INITIAL_STOCK"
_movements, _items = m.stock_movements.c, m.inventory_items.c


def inventory_of(facts: StoreFacts) -> Inventory:
    """The store's products, and an item for each unit that it holds at the end of its history."""
    held = facts.closing()
    threshold, optimal = stock_levels(held)
    product = np.repeat(np.arange(len(held)), held)
    number = np.arange(1, len(product) + 1)
    x, y, zone = places(spots(facts.zone), product, number)
    categories = dict.fromkeys(facts.category, 0)
    for name in facts.category:
        categories[name] += 1
    return Inventory(
        ProductRows(facts.sku, facts.name, facts.category, facts.cents, threshold, optimal),
        ItemRows(
            tag_names(number.tolist()),
            epcs(facts.product_id[product] % (MOST_REFERENCE + 1), number),
            [facts.sku[row] for row in product.tolist()],
            x,
            y,
            zone,
        ),
        categories,
        0,
        facts.store,
    )


def backfill_receipts(
    engine: Engine,
    facts: StoreFacts,
    snapshots: int,
    replace: bool,
    progress: Progress | None = None,
) -> Summary:
    """Write the store's history up to the stock that `inventory_of` gives.

    Raises UserError when it is there already, or the database holds another stock.
    """
    if replace:
        refuse_beside_simulation(engine)
    tell = progress or (lambda _doing, _done, _total: None)
    with writing(engine) as connection:
        replaced = _make_room(connection, replace)
        lives = _lives(connection, facts)
        params = {"store": facts.store, "snapshots": snapshots}
        run = note_run(connection, m.RECEIPTS_RUN, params, facts.first, facts.end)
        written = write_past(connection, lives, m.RECEIPT, run)
        taken = write_snapshots(connection, run, facts.first, facts.days, snapshots, tell)
    came = len(facts.arrivals.product) and int(
        facts.arrivals.units[np.array(facts.arrivals.reason) != _OPENING].sum()
    )
    last = facts.end.date().toordinal() - 1
    return Summary(
        facts.first.date().isoformat(),
        datetime.fromordinal(last).date().isoformat(),
        written.purchases,
        came,
        taken,
        replaced,
        0,
    )


def replaced_receipts(engine: Engine) -> Replaced:
    """The past that another one of receipts replaces. Raises UserError where it is none."""
    with engine.connect() as connection:
        return replaced_of(_pasts_of_receipts(connection))


def _pasts(connection: Connection) -> Sequence[Any]:
    runs = m.runs.c
    columns = select(runs.id, runs.kind, runs.first_at, runs.last_at)
    return connection.execute(
        columns.where(runs.first_at.is_not(None)).order_by(runs.last_at)
    ).all()


def _pasts_of_receipts(connection: Connection) -> Sequence[Any]:
    """Raises UserError where a past was made otherwise, which receipts never replace."""
    there = _pasts(connection)
    if any(run.kind != m.RECEIPTS_RUN for run in there):
        where = f"--database-url {shown_url(connection.engine)}"
        raise UserError(
            f"store: {replaced_of(there)} in this database was made without --store, and receipts "
            f"do not replace it; empty it with `retail-datagen store reset {where}`, then run "
            "`inventory generate --store N` and `inventory backfill --store N`"
        )
    return there


def _make_room(connection: Connection, replace: bool) -> Replaced:
    there = _pasts_of_receipts(connection)
    if not there:
        return Replaced()
    if not replace:
        raise UserError(
            "store: this database has a past already; give --replace to replace it, or empty it "
            "with `retail-datagen store reset`"
        )
    ids = [run.id for run in there]
    _refuse_within(connection, ids, min(run.first_at for run in there), there[-1].last_at)
    left = select(_movements.item_id).where(_movements.run_id.in_(ids), _movements.delta == -1)
    connection.execute(
        update(m.stock_movements)
        .where(_movements.run_id.in_(ids), _movements.item_id.not_in(left))
        .values(occurred_at=there[-1].last_at, kind=m.INITIAL, reason=None, run_id=None)
    )
    take_back(connection, ids)
    if connection.scalar(select(func.count()).where(_movements.run_id.in_(ids))):
        raise UserError(_STOOD_ON)
    return replaced_of(there)


_STOOD_ON = (
    "store: something happened since to items of this past, so that it cannot be replaced; "
    "`retail-datagen store reset` empties the store"
)


def _refuse_within(
    connection: Connection, runs: Sequence[int], first: datetime, end: datetime
) -> None:
    """Raises UserError where somebody else wrote in that time: who is there at its end may have
    been seen or sold before it, where the history's last day is today."""
    foreign = _movements.run_id.is_(None) | _movements.run_id.not_in(list(runs))
    moved, seen = _movements.occurred_at, m.detections.c.seen_at
    for at, where in ((moved, foreign), (seen, true())):
        found = select(func.min(at)).where(at >= first, at < end, where)
        if connection.scalar(found) is not None:
            raise UserError(_STOOD_ON)


def _lives(connection: Connection, facts: StoreFacts) -> Lives:
    """What becomes of every unit: a product's k-th departure takes its k-th arrival."""
    ids = _product_ids(connection, facts)
    came = _units(facts.arrivals.product, facts.arrivals.at, facts.arrivals.units)
    product, at, row = _in_turn(*came)
    reasons = np.array(facts.arrivals.reason, dtype=object)[row]
    left = _Departures(facts)
    total = np.bincount(product, minlength=len(ids))
    gone = np.bincount(left.product, minlength=len(ids))
    first = np.cumsum(total) - total
    turn = np.arange(len(product)) - first[product]
    leaves = turn < gone[product]
    item = np.zeros(len(product), dtype=np.int64)
    item[~leaves] = _held(connection, facts, ids, total - gone)
    departed = np.full(len(product), PRESENT_STILL)
    departed[leaves] = left.at
    texts: dict[str, Any] = {}
    for name in ("kind", "gone", "reason", "basket"):
        texts[name] = np.full(len(product), None, dtype=object)
        texts[name][leaves] = getattr(left, name)
    cents = np.full(len(product), -1, dtype=np.int64)
    cents[leaves] = left.cents
    return Lives(
        item=item,
        product=ids[product],
        like=_like(item, product, len(ids)),
        heir_of=np.zeros(len(product), dtype=np.int64),
        arrived=at,
        came=np.where(reasons == _OPENING, m.INITIAL, m.RESTOCK).astype(object),
        came_by=reasons,
        rewritten=np.ones(len(product), dtype=np.bool_),
        departed=departed,
        left=texts["kind"],
        gone=texts["gone"],
        left_by=texts["reason"],
        cents=cents,
        basket=texts["basket"],
    )


class _Departures:
    """Units that left, by product and time: [units]."""

    def __init__(self, facts: StoreFacts) -> None:
        lines, flow = facts.lines, facts.departures
        bought = len(lines.product)
        rows = np.concatenate([np.arange(bought), bought + np.arange(len(flow.product))])
        units = np.concatenate([lines.units, flow.units])
        every = np.repeat(rows, units)
        product = np.concatenate([lines.product, flow.product])[every]
        at = np.concatenate([lines.at, flow.at])[every]
        order = np.lexsort((every, at, product))
        every = every[order]
        self.product: I64 = product[order]
        self.at: Any = at[order]
        none = [None] * len(flow.product)
        self.kind = _texts([m.SALE] * bought + [m.LOSS] * len(none), every)
        self.gone = _texts([m.SOLD] * bought + [_reason(r) for r in flow.reason], every)
        self.reason = _texts([None] * bought + [_said(r) for r in flow.reason], every)
        self.basket = _texts([*lines.receipt, *none], every)
        self.cents: I64 = np.concatenate([lines.cents, np.full(len(none), -1)])[every]


def _reason(reason: str) -> str:
    return m.FACT_REASONS.get(_said(reason), m.LOST)


def _said(reason: str) -> str:
    """A sale that passed no till is an online order's."""
    return m.ONLINE_ORDER if reason == "SALE" else reason


def _texts(values: list[Any], rows: I64) -> Any:
    return np.array([*values, None], dtype=object)[rows]


def _units(product: I64, at: Any, units: I64) -> tuple[I64, Any, I64]:
    """Each unit of movements: its product, its time, and the movement's row."""
    row = np.repeat(np.arange(len(product)), units)
    return product[row], at[row], row


def _in_turn(product: I64, at: Any, row: I64) -> tuple[I64, Any, I64]:
    """By product and time."""
    order = np.lexsort((row, at, product))
    return product[order], at[order], row[order]


def _like(item: I64, product: I64, products: int) -> I64:
    """An item of the same product whose place one takes that is not there any more."""
    like = np.zeros(products, dtype=np.int64)
    like[product[item > 0]] = item[item > 0]
    return np.where(item > 0, 0, like[product])


def _product_ids(connection: Connection, facts: StoreFacts) -> I64:
    columns = select(m.products.c.sku, m.products.c.id)
    known = {row.sku: row.id for row in connection.execute(columns)}
    missing = [sku for sku in facts.sku if sku not in known]
    if missing:
        raise UserError(
            f"store: {len(missing):,} products of store {facts.store} are not in this database, "
            f"{missing[0]} first; run `retail-datagen inventory generate --store {facts.store}`"
        )
    return np.array([known[sku] for sku in facts.sku], dtype=np.int64)


def _held(connection: Connection, facts: StoreFacts, ids: I64, wanted: I64) -> I64:
    """The items that were there at the end of the history, in the order of `ids` and tags.

    Raises UserError when there are not as many of each product as `wanted`.
    """
    found = connection.execute(
        select(_items.id, _items.product_id)
        .join(m.stock_movements, _movements.item_id == _items.id)
        .where(_movements.kind == m.INITIAL, _movements.occurred_at == facts.end)
        .order_by(_items.rfid_tag)
    ).all()
    rank = {product: row for row, product in enumerate(ids.tolist())}
    rows = np.array([rank.get(row.product_id, -1) for row in found], dtype=np.int64)
    item = np.array([row.id for row in found], dtype=np.int64)
    there = np.bincount(rows[rows >= 0], minlength=len(ids))
    wrong = np.flatnonzero(there != wanted)
    if len(wrong) or np.any(rows < 0):
        sku = facts.sku[wrong[0]] if len(wrong) else "another product"
        have, want = (int(n[wrong[0]]) for n in (there, wanted)) if len(wrong) else (1, 0)
        raise UserError(
            f"store: this database does not hold the stock of store {facts.store} at the end of "
            f"its history: {have} of {sku}, not {want}; empty it with `retail-datagen store reset`"
            f", then run `retail-datagen inventory generate --store {facts.store}`"
        )
    return item[np.argsort(rows, kind="stable")]
