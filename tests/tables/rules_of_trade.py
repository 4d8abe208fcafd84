"""Trade: receipts, online orders, returns and prices, to the cent."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
from reading import closed

from histories import DAY_SECONDS, History, rows_of, values


def receipts_are_their_lines(told: History) -> None:
    receipt, subtotal, tax, total = told.columns(
        "receipts", "ReceiptId", "Subtotal", "Tax", "Total"
    )
    of, line, product, qty, price, ext, trace, moment = told.columns(
        "receipt_lines", "ReceiptId", "Line", "ProductID", "Qty", "UnitPrice", "ExtPrice",
        "TraceId", "EventTS",
    )  # fmt: skip
    assert len(set(receipt)) == len(receipt)
    number = {name: row for row, name in enumerate(receipt)}
    row = np.array([number[name] for name in of], dtype=np.int64)
    assert (np.diff(row) >= 0).all(), "lines follow their receipts"
    assert (ext == price * qty).all()
    assert (np.bincount(row, ext, len(receipt)).astype(np.int64) == subtotal).all()
    assert (subtotal + tax == total).all()
    assert (subtotal > 0).all()
    first = np.searchsorted(row, np.arange(len(receipt)))
    assert (line == np.arange(len(row)) - first[row] + 1).all()

    receipt_trace, paid, store = told.columns("receipts", "TraceId", "EventTS", "StoreID")
    assert (receipt_trace[row] == trace).all()
    assert (paid[row] == moment).all()

    world = told.world
    taxable = world.products.taxable[rows_of(world.products.product_id, product)]
    base = np.bincount(row, np.where(taxable, ext, 0), len(receipt)).astype(np.int64)
    rate = world.stores.tax_ppm[rows_of(world.stores.store_id, store)].astype(np.int64)
    assert (tax == (base * rate + 500_000) // 1_000_000).all()


def receipt_ids_say_when_and_where(told: History) -> None:
    name, moment, store = told.columns("receipts", "ReceiptId", "EventTS", "StoreID")
    stamp = np.datetime_as_string(moment.astype("M8[s]"), unit="m")
    counted: Counter[tuple[str, int]] = Counter()
    for receipt, minute, at in zip(name, stamp, store, strict=True):
        clock = minute.replace("-", "").replace("T", "").replace(":", "")
        counted[clock[:8], at] += 1
        assert receipt == f"RCP{clock}{at:03d}{counted[clock[:8], at]:04d}"


def online_orders_go_through_their_statuses(told: History) -> None:
    order, status, moment, mode, node_type = told.columns(
        "online_orders", "OrderId", "Status", "EventTS", "FulfillmentMode", "NodeType"
    )
    steps: dict[str, list[tuple[str, int]]] = {}
    for o, s, m in zip(order, status, moment, strict=True):
        steps.setdefault(o, []).append((s, m))
    mode_of = dict(zip(order, mode, strict=True))
    assert ((mode == "SHIP_FROM_DC") == (node_type == "DC")).all()
    last = (told.days[-1] + 1) * DAY_SECONDS
    for o, of in steps.items():
        names = [s for s, _ in of]
        shipped = ["CREATED", "PICKED", "SHIPPED", "DELIVERED"]
        collected = ["CREATED", "PICKED", "DELIVERED"]
        whole = collected if mode_of[o] == "BOPIS" else shipped
        assert names == ["CREATED", "CANCELLED"] or names == whole[: len(names)]
        assert all(a < b for (_, a), (_, b) in pairwise(of))
        if of[0][1] < last - 9 * DAY_SECONDS:
            assert names[-1] in ("CANCELLED", "DELIVERED"), "nothing is forgotten"
    for column, reached in (
        ("PickedTS", "PICKED"),
        ("ShippedTS", "SHIPPED"),
        ("DeliveredTS", "DELIVERED"),
    ):
        when = {o: dict(of).get(reached) for o, of in steps.items()}
        for o, s, m, known in zip(
            order, status, moment, told.columns("online_orders", column)[0], strict=True
        ):
            reaches = when[o]
            assert known == (reaches if reaches is not None and reaches <= m else -1), (o, s)


def online_orders_cost_what_their_kept_lines_cost(told: History) -> None:
    order, status, subtotal, discount, shipping, tax, total, mode = told.columns(
        "online_orders", "OrderId", "Status", "Subtotal", "Discount", "Shipping", "Tax", "Total",
        "FulfillmentMode",
    )  # fmt: skip
    name, line, price, qty, ext, kept = told.columns(
        "online_order_lines", "OrderId", "Line", "UnitPrice", "Qty", "ExtPrice", "Status"
    )
    assert (ext == price * qty).all()
    cost: Counter[str] = Counter(dict.fromkeys(name, 0))
    most: Counter[str] = Counter()
    for o, n, e, k in zip(name, line, ext, kept, strict=True):
        cost[o] += e if k == "ALLOCATED" else 0
        assert n == most[o] + 1
        most[o] = n
    assert all(cost[o] == s for o, s in zip(order, subtotal, strict=True))
    assert (total == subtotal - discount + shipping + tax).all()
    assert ((discount >= 0) & (discount <= subtotal)).all()
    assert (shipping[mode == "BOPIS"] == 0).all()
    gone = {o for o, s in zip(order, status, strict=True) if s == "CANCELLED"}
    made = told.columns("online_order_lines", "EventTS")[0]
    end = (told.days[-1] + 1) * DAY_SECONDS - 120
    early = {o for o, m in zip(name, made, strict=True) if m < end}
    assert gone & early == {o for o in early if cost[o] == 0}, "two minutes after the order"
    assert gone <= {o for o in cost if cost[o] == 0}
    assert (total[subtotal == 0] == 0).all()


def returns_are_of_lines_that_were_sold(told: History) -> None:
    sold = {
        (r, n): (p, q, u)
        for r, n, p, q, u in zip(
            *told.columns("receipt_lines", "ReceiptId", "Line", "ProductID", "Qty", "UnitPrice"),
            strict=True,
        )
    }
    receipts = {
        r: (s, c, m)
        for r, s, c, m in zip(
            *told.columns("receipts", "ReceiptId", "StoreID", "CustomerID", "EventTS"), strict=True
        )
    }
    back = zip(
        *told.columns(
            "store_returns", "ReceiptId", "Line", "ProductID", "Qty", "UnitPrice", "StoreID",
            "CustomerID", "EventTS", "Refund",
        ),
        strict=True,
    )  # fmt: skip
    paid = dict(zip(*told.columns("receipts", "ReceiptId", "Total"), strict=True))
    refunded: Counter[str] = Counter()
    seen = set()
    for receipt, line, product, qty, price, store, customer, moment, refund in back:
        assert sold[receipt, line] == (product, qty, price)
        assert receipts[receipt][:2] == (store, customer)
        bought, came = receipts[receipt][2] // DAY_SECONDS, moment // DAY_SECONDS
        last = bought + told.profile.returns.max_days
        while closed(told, last):
            last += 1
        assert bought < came <= last
        assert price * qty <= refund <= price * qty * 1.15
        assert (receipt, line) not in seen, "nothing comes back twice"
        seen.add((receipt, line))
        refunded[receipt] += refund
    assert all(refunded[r] <= paid[r] for r in refunded), "never more than was paid, tax included"


def offers(told: History, product_id: int, day: int) -> set[str]:
    """Codes of the promotions that cover a product on a day."""
    products, promotions = told.world.products, told.world.promotions
    product = int(np.searchsorted(products.product_id, product_id))
    of = products.category[product], products.subcategory[product]
    covers = np.where(
        promotions.subcategory < 0,
        promotions.category == of[0],
        promotions.subcategory == of[1],
    )
    runs = (promotions.first_day <= day) & (day <= promotions.last_day)
    return {promotions.code[row] for row in np.flatnonzero(covers & runs)}


def prices_change_when_price_changes_say_so(told: History) -> None:
    world = told.world
    price = dict(
        zip(world.products.product_id.tolist(), world.products.price.tolist(), strict=True)
    )
    for day in told.days:
        rows = told.day("price_changes", day)
        columns = ("ProductID", "OldPrice", "NewPrice", "Reason", "PromoCode")
        for product, old, new, reason, code in zip(
            *(values(rows.column(n)) for n in columns), strict=True
        ):
            assert price[product] == old != new
            price[product] = int(new)
            assert (code is not None) == reason.startswith("PROMO")
            assert code is None or code in offers(told, product, day - (reason == "PROMO_END"))
        for table in ("receipt_lines", "online_order_lines"):
            found = told.day(table, day)
            names = ("ProductID", "UnitPrice", "PromoCode")
            for product, paid, code in zip(*(values(found.column(n)) for n in names), strict=True):
                assert price[product] == paid
                assert code is None or code in offers(told, product, day)
