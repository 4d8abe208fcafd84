"""The ledger on both databases: what comes, what leaves, what is refused, what is never broken."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from sqlalchemy import Engine, func, select

from retail_datagen.store.database import models as m
from retail_datagen.store.epc import epcs
from retail_datagen.store.ledger import Detections, Ledger
from retail_datagen.store.moments import LedgerError
from retail_datagen.store.rows import Outcome
from stores import OPENED, items, products, violations

NOON = datetime(2024, 3, 1, 12)
MINUTE = timedelta(minutes=1)


def on_hand(engine: Engine) -> dict[int, int]:
    with engine.connect() as connection:
        rows = connection.execute(select(m.stock_levels.c.product_id, m.stock_levels.c.on_hand))
        return {row.product_id: row.on_hand for row in rows}


def item_row(engine: Engine, item: int) -> tuple[object, ...]:
    columns = m.inventory_items.c
    with engine.connect() as connection:
        found = select(columns.status, columns.reason, columns.left_at).where(columns.id == item)
        return tuple(connection.execute(found).one())


def test_what_is_added_is_there(small: Ledger) -> None:
    assert on_hand(small.engine) == {1: 4, 2: 4, 3: 4}
    with small.engine.connect() as connection:
        assert connection.scalars(select(m.products.c.unit_price)).all() == [
            Decimal("1.01"),
            Decimal("2.02"),
            Decimal("3.03"),
        ]
        kinds = connection.execute(
            select(m.stock_movements.c.kind, func.count()).group_by(m.stock_movements.c.kind)
        )
        assert [tuple(row) for row in kinds] == [("initial", 12)]
    assert violations(small.engine) == []


def test_twice_is_safe(small: Ledger) -> None:
    again = small.add_products(products(4), NOON)
    assert (again.created, again.skipped, again.failed) == (1, 3, 0)
    again = small.add_items(items([0, 1, 2] * 5), NOON)
    assert (again.created, again.skipped, again.failed) == (3, 12, 0)
    assert on_hand(small.engine) == {1: 5, 2: 5, 3: 5, 4: 0}
    assert violations(small.engine) == []


def test_a_sale(small: Ledger) -> None:
    sold = small.sell([1, 2, 99, 2], NOON, "B1")
    assert sold.items.tolist() == [1, 2]
    assert sold.products.tolist() == [1, 2]
    assert sorted(sold.refused.tolist()) == [2, 99]
    assert small.sell([1], NOON + MINUTE).refused.tolist() == [1]
    assert on_hand(small.engine) == {1: 3, 2: 3, 3: 4}
    assert item_row(small.engine, 1) == ("not_present", "sold", NOON)
    with small.engine.connect() as connection:
        columns = m.purchase_events.c
        rows = connection.execute(
            select(
                columns.item_id, columns.unit_price, columns.basket_id, columns.occurred_at
            ).order_by(columns.item_id)
        ).all()
    assert [tuple(row) for row in rows] == [
        (1, Decimal("1.01"), "B1", NOON),
        (2, Decimal("2.02"), "B1", NOON),
    ]
    assert violations(small.engine) == []


@pytest.mark.parametrize("reason", ["stolen", "lost", "moved"])
def test_what_is_lost_comes_back(small: Ledger, reason: str) -> None:
    assert small.lose([5], NOON, reason).items.tolist() == [5]
    assert item_row(small.engine, 5) == ("not_present", reason, NOON)
    assert on_hand(small.engine)[2] == 3
    assert small.bring_back([5, 6], NOON + MINUTE).items.tolist() == [5]
    assert item_row(small.engine, 5) == ("present", None, None)
    assert on_hand(small.engine)[2] == 4
    assert violations(small.engine) == []


def test_a_returned_item_may_be_sold_again(small: Ledger) -> None:
    small.sell([1], NOON, "B1")
    small.bring_back([1], NOON + MINUTE, "returned")
    assert small.sell([1], NOON + 2 * MINUTE, "B2").items.tolist() == [1]
    assert violations(small.engine) == []


def test_restocked_items_have_tags_of_their_own(small: Ledger) -> None:
    came = small.restock([1, 1, 77, 3], NOON)
    assert came.products.tolist() == [1, 1, 3]
    assert came.refused.tolist() == [77]
    with small.engine.connect() as connection:
        columns = m.inventory_items.c
        rows = connection.execute(
            select(columns.rfid_tag, columns.epc, columns.x_position)
            .where(columns.id.in_(came.items.tolist()))
            .order_by(columns.id)
        ).all()
    assert [row.rfid_tag for row in rows] == [f"RFID-{10_000_000 + n:08d}" for n in (1, 2, 3)]
    assert all(len(row.epc) == 24 for row in rows)
    assert [row.x_position for row in rows] == [1000.0] * 3
    assert small.restock([1], NOON).items.tolist() == [came.items[-1] + 1]
    assert on_hand(small.engine) == {1: 7, 2: 4, 3: 5}
    assert violations(small.engine) == []


def test_nothing_happens_before_a_snapshot(small: Ledger) -> None:
    small.sell([1], NOON)
    with pytest.raises(LedgerError, match="there is a movement at"):
        small.snapshot(NOON - MINUTE)
    assert small.snapshot(NOON) == 3
    with pytest.raises(LedgerError, match="not after the snapshot"):
        small.sell([2], NOON)
    with pytest.raises(LedgerError, match="not after the snapshot"):
        small.snapshot(NOON)
    small.sell([2], NOON + timedelta(microseconds=1))
    assert violations(small.engine) == []


def test_an_item_does_not_leave_before_it_came(small: Ledger) -> None:
    with pytest.raises(LedgerError, match="it was moved at"):
        small.sell([1], OPENED - MINUTE)
    assert on_hand(small.engine) == {1: 4, 2: 4, 3: 4}
    assert violations(small.engine) == []


def test_the_clock_never_goes_back(engine: Engine) -> None:
    ledger = Ledger(engine)
    ledger.add_products(products(1))
    far = datetime.now().replace(microsecond=0) + timedelta(days=400)
    ledger.add_items(items([0]), far)
    assert ledger.clock() == far
    ledger.snapshot(far)
    assert ledger.clock() == far + timedelta(microseconds=1)
    assert ledger.sell([1]).items.tolist() == [1]
    assert violations(engine) == []


def test_detections_are_kept(small: Ledger) -> None:
    at = [NOON, NOON, NOON + MINUTE]
    far = np.array([120.0, np.nan, 80.0])
    small.see(Detections(np.array([1, 2, 1]), at, np.array([-40.0, -61.5, -55.0]), ["S"] * 3, far))
    with small.engine.connect() as connection:
        columns = m.detections.c
        rows = connection.execute(select(columns.item_id, columns.distance)).all()
        seen = connection.scalars(
            select(m.inventory_items.c.last_seen_at).order_by(m.inventory_items.c.id).limit(3)
        ).all()
    assert sorted(rows, key=str) == [(1, 120.0), (1, 80.0), (2, None)]
    assert seen == [NOON + MINUTE, NOON, OPENED]


def test_items_are_placed(small: Ledger) -> None:
    small.place([1, 2], np.array([30.0, 1.5]), np.array([300.0, 2.0]), np.array([1, 0]))
    with small.engine.connect() as connection:
        columns = m.inventory_items.c
        rows = connection.execute(
            select(columns.x_position, columns.y_position, columns.zone_id)
            .order_by(columns.id)
            .limit(2)
        ).all()
    assert [tuple(row) for row in rows] == [(30.0, 300.0, 1), (1.5, 2.0, None)]
    assert violations(small.engine) == []


def test_runs_mark_what_they_write(small: Ledger) -> None:
    run = small.begin_run("simulation", {"seed": 1}, NOON)
    small.sell([1], NOON)
    small.end_run(NOON + MINUTE)
    with small.engine.connect() as connection:
        marked = connection.scalars(
            select(m.stock_movements.c.run_id).where(m.stock_movements.c.kind == "sale")
        ).all()
    assert marked == [run]


def test_wrong_rows_are_told_and_the_others_kept(small: Ledger) -> None:
    rows = items([0, 1, 2, 0, 1], first=50)
    rows.sku[1] = "NONE"  # type: ignore[index]
    rows.rfid_tag[2] = "x" * 51  # type: ignore[index]
    rows.epc[3] = "no hex"  # type: ignore[index]
    rows.zone_id[4] = 99
    added = small.add_items(rows, NOON)
    assert (added.created, added.skipped, added.failed) == (1, 0, 4)
    assert added.errors == {
        1: "sku: there is no product 'NONE'",
        2: "rfid_tag: 1 to 50 characters, no NUL",
        3: "epc: 24 hexadecimal digits in capitals, or none",
        4: "zone_id: one of 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, or none",
    }
    assert violations(small.engine) == []


NASTY = [
    "'; DROP TABLE products; --",
    '" OR 1=1 --',
    "\\.",
    "\\N",
    "a\tb\nc\r\nd",
    "%s %(x)s {0} :name ?",
    "Ünïcødé 🏷️ 中文",
    '="x",1,"',
    "NULL",
    " x ",
]


def test_what_looks_like_sql_is_text(engine: Engine) -> None:
    rows = products(len(NASTY))
    texts = type(rows)(NASTY, NASTY, NASTY, rows.cents, rows.reorder_threshold, rows.cents)
    ledger = Ledger(engine)
    assert ledger.add_products(texts, OPENED).created == len(NASTY)
    tagged = items([0] * len(NASTY))
    tagged = type(tagged)(NASTY, tagged.epc, NASTY, tagged.x, tagged.y, tagged.zone_id)
    assert ledger.add_items(tagged, OPENED).created == len(NASTY)
    assert ledger.add_items(tagged, OPENED).skipped == len(NASTY)
    ledger.sell(range(1, len(NASTY) + 1), NOON, NASTY)
    with engine.connect() as connection:
        for column in (
            m.products.c.sku,
            m.products.c.name,
            m.products.c.category,
            m.inventory_items.c.rfid_tag,
            m.purchase_events.c.basket_id,
        ):
            assert connection.scalars(select(column).order_by(column.table.c.id)).all() == NASTY
    assert violations(engine) == []


def test_an_epc_of_ours_belongs_to_one_tag_and_one_reference(small: Ledger) -> None:
    right, serial, reference = epcs(np.array([7, 7, 8]), np.array([50, 99, 52]))
    more = items([0, 0, 0], first=50)
    more.epc[:] = [right, serial, reference]
    added = small.add_items(more, NOON)
    assert added.outcome.tolist() == [Outcome.CREATED, Outcome.ERROR, Outcome.ERROR]
    assert added.errors == {
        1: "epc: with company prefix 952000 it belongs to RFID-00000099; give another's",
        2: "epc: its item reference is 0000008, its product's is 0000007",
    }
    later = items([0], first=52)
    later.epc[:] = [reference]
    assert small.add_items(later, NOON).failed == 1
    assert violations(small.engine) == []


def test_an_item_that_is_refused_is_not_there_for_those_behind_it(small: Ledger) -> None:
    """Three rows of one tag, of which the first two have another item's EPC."""
    taken = "30" * 12
    first = items([0], first=50)
    first.epc[:] = [taken]
    assert small.add_items(first, NOON).created == 1
    more = items([0, 0, 0], first=60)
    more.rfid_tag[:] = ["twice"] * 3
    more.epc[:] = [taken, taken, ""]
    added = small.add_items(more, NOON)
    assert added.outcome.tolist() == [Outcome.ERROR, Outcome.ERROR, Outcome.CREATED]
    assert set(added.errors.values()) == {f"epc: {taken} is on another tag"}
    assert violations(small.engine) == []
