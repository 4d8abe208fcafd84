"""Rules answer to the cent, the unit and the second, whatever the rows come as."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retail_datagen.config.errors import UserError
from retail_datagen.generators.business_rules import BusinessRulesEngine
from retail_datagen.retailer import Retailer
from retail_datagen.shared.models import ReceiptLine, TruckMove
from retail_datagen.tables.truck_moves import STATUSES

LINES = [
    {"Line": 1, "Qty": 2, "UnitPrice": "12.99", "ExtPrice": "25.98"},
    {"Line": 2, "Qty": 1, "UnitPrice": "0.10", "ExtPrice": "0.10"},
]
NOON = datetime(2024, 1, 1, 12)


@pytest.fixture
def rules() -> BusinessRulesEngine:
    return BusinessRulesEngine()


@pytest.mark.parametrize("total", ["26.08", 26.08, Decimal("26.08"), "26.080"])
def test_a_total_is_compared_as_it_is_written(rules: BusinessRulesEngine, total: object) -> None:
    assert rules.validate_receipt_totals(LINES, total)  # type: ignore[arg-type]


@pytest.mark.parametrize("total", ["26.07", "26.09", "26.0800001", 0, -26.08])
def test_another_total_fails(rules: BusinessRulesEngine, total: object) -> None:
    assert not rules.validate_receipt_totals(LINES, total)  # type: ignore[arg-type]


def test_tax_counts_where_it_is_given(rules: BusinessRulesEngine) -> None:
    assert rules.validate_receipt_totals(LINES, "28.16", tax="2.08")
    assert not rules.validate_receipt_totals(LINES, "28.16")
    (message,) = rules.get_validation_summary().messages
    assert message == (
        "receipt_totals: lines are 26.08 and tax 0, together 26.08, but the total is 28.16"
    )


def test_a_line_must_be_its_price_times_its_units(rules: BusinessRulesEngine) -> None:
    wrong = [LINES[0] | {"ExtPrice": "25.00"}]
    assert not rules.validate_receipt_totals(wrong, "25.00")
    assert "line 1 is 25.00, UnitPrice × Qty is 25.98" in rules.get_validation_summary().messages[0]


def test_lines_may_be_records_tables_and_frames(rules: BusinessRulesEngine) -> None:
    common = {"TraceId": "TRC1", "EventTS": NOON, "ReceiptId": "RCP1", "ProductID": 1001}
    records = [ReceiptLine.from_row({**common, **line, "PromoCode": ""}) for line in LINES]
    floats = [{**line, "ExtPrice": float(line["ExtPrice"])} for line in LINES]  # type: ignore[arg-type]
    table = pa.Table.from_pylist(LINES)
    money = table.set_column(3, "ExtPrice", table["ExtPrice"].cast(pa.decimal128(12, 2)))
    for rows in (records, table, money, pd.DataFrame(floats), pl.DataFrame(floats)):
        assert rules.validate_receipt_totals(rows, "26.08"), type(rows)
        assert not rules.validate_receipt_totals(rows, "26.09"), type(rows)
    assert rules.validate_receipt_totals(records[0], "25.98"), "a single line"
    assert rules.validate_receipt_totals([], 0), "nothing costs nothing"


@given(
    lines=st.lists(st.tuples(st.integers(1, 30), st.integers(1, 10**7)), min_size=1, max_size=40),
    tax=st.integers(0, 10**6),
    off=st.integers(-3, 3),
)
def test_one_cent_decides(lines: list[tuple[int, int]], tax: int, off: int) -> None:
    rows = [
        {
            "Qty": qty,
            "UnitPrice": Decimal(price).scaleb(-2),
            "ExtPrice": Decimal(qty * price).scaleb(-2),
        }
        for qty, price in lines
    ]
    total = Decimal(sum(qty * price for qty, price in lines) + tax + off).scaleb(-2)
    rules = BusinessRulesEngine()
    assert rules.validate_receipt_totals(rows, total, Decimal(tax).scaleb(-2)) is (off == 0)


@pytest.mark.parametrize("total", ["twenty", "nan", None])
def test_what_is_no_amount_is_refused(rules: BusinessRulesEngine, total: object) -> None:
    with pytest.raises(UserError, match=r"total_amount: .* is not an amount, such as 25\.98"):
        rules.validate_receipt_totals(LINES, total)  # type: ignore[arg-type]


def test_lines_without_a_price_are_refused(rules: BusinessRulesEngine) -> None:
    with pytest.raises(UserError, match=r"receipt lines: no column ExtPrice; .*there are Qty"):
        rules.validate_receipt_totals([{"Qty": 1}], 1)
    with pytest.raises(UserError, match="receipt lines, column ExtPrice: needed are amounts"):
        rules.validate_receipt_totals([{"ExtPrice": "1.005"}], 1)
    assert rules.get_validation_summary().total == 0, "what cannot be read was not checked"


def move(minutes: int, units: int, product: int = 1001, store: int = 1) -> dict[str, object]:
    when = NOON + timedelta(minutes=minutes)
    return {"EventTS": when, "StoreID": store, "ProductID": product, "QtyDelta": units}


def test_stock_may_fall_to_nothing_but_not_below(rules: BusinessRulesEngine) -> None:
    opening = [move(0, 5), move(0, 1, product=1002)]
    assert rules.validate_inventory_non_negative([*opening, move(5, -2), move(6, -3)])
    assert not rules.validate_inventory_non_negative([*opening, move(5, -2), move(6, -4)])
    assert rules.get_validation_summary().messages[0] == (
        "inventory_non_negative: StoreID 1 holds -1 of ProductID 1001 at 2024-01-01T12:06:00"
    )


def test_stock_is_kept_by_time_place_and_product(rules: BusinessRulesEngine) -> None:
    assert rules.validate_inventory_non_negative([move(9, -1), move(3, 1)]), "any order of rows"
    assert rules.validate_inventory_non_negative([move(3, -1), move(3, 1)]), "what comes is first"
    assert not rules.validate_inventory_non_negative([move(3, -1), move(4, 1)])
    assert not rules.validate_inventory_non_negative([move(3, 1, store=2), move(4, -1)])
    assert not rules.validate_inventory_non_negative([move(3, 1, product=7), move(4, -1)])
    assert rules.validate_inventory_non_negative([])


def test_stock_needs_a_place(rules: BusinessRulesEngine) -> None:
    row = move(0, 1)
    del row["StoreID"]
    assert rules.validate_inventory_non_negative([row | {"DCID": 1}])
    with pytest.raises(UserError, match="no column StoreID or DCID"):
        rules.validate_inventory_non_negative([row])


@pytest.mark.parametrize(
    ("cost", "price", "msrp", "holds"),
    [
        ("1.00", "2.00", "3.00", True),
        ("2.00", "2.00", "2.00", True),
        ("2.01", "2.00", "3.00", False),
        ("1.00", "3.01", "3.00", False),
        ("0.00", "2.00", "3.00", False),
    ],
)
def test_prices_lie_between_cost_and_msrp(
    rules: BusinessRulesEngine, cost: str, price: str, msrp: str, holds: bool
) -> None:
    row = {"ProductID": 1001, "Cost": cost, "Price": price, "MSRP": msrp}
    assert rules.validate_pricing([row]) is holds
    messages = rules.get_validation_summary().messages
    assert all(message.startswith("pricing: ProductID 1001 has Cost") for message in messages)


def moves(*events: tuple[str, int], late: bool = False) -> list[TruckMove]:
    base = {"TraceId": "TRC1", "TruckId": "TRK1001", "DCID": 1, "StoreID": 2}
    eta = {"ETA": NOON + timedelta(hours=2 if late else 1), "ETD": NOON + timedelta(hours=1)}
    return [
        TruckMove.from_row(
            base
            | eta
            | {
                "ShipmentId": "SHIP1",
                "Status": status,
                "EventTS": NOON + timedelta(minutes=minutes),
            }
        )
        for status, minutes in events
    ]


def test_trucks_go_through_their_statuses_in_order(rules: BusinessRulesEngine) -> None:
    whole = list(zip(STATUSES, (0, 10, 20, 20, 40, 50), strict=True))
    assert rules.validate_truck_timing(moves(*whole))
    assert rules.validate_truck_timing(moves(*reversed(whole))), "any order of rows"
    assert rules.validate_truck_timing(moves(*whole[:3])), "still under way"
    assert not rules.validate_truck_timing(moves(*whole[1:])), "never scheduled"
    assert not rules.validate_truck_timing(moves(*whole[:2], *whole[3:])), "left one out"
    assert not rules.validate_truck_timing(moves(*whole, ("ARRIVED", 60))), "arrived twice"
    assert not rules.validate_truck_timing(moves(("SCHEDULED", 5), ("LOADING", 4)))
    assert "SHIP1 goes LOADING → SCHEDULED" in rules.get_validation_summary().messages[-1]
    assert not rules.validate_truck_timing(moves(*whole, late=True))
    assert not rules.validate_truck_timing(moves(("LOST", 0)))
    assert "unknown status LOST" in rules.get_validation_summary().messages[-1]


def test_the_summary_counts_by_rule_until_it_is_cleared(rules: BusinessRulesEngine) -> None:
    rules.validate_receipt_totals(LINES, "26.08")
    rules.validate_receipt_totals(LINES, "1")
    rules.validate_inventory_non_negative([move(0, 1)])
    summary = rules.get_validation_summary()
    assert (summary.passed, summary.failed, summary.total) == (2, 1, 3)
    assert summary.by_rule == {"receipt_totals": (1, 1), "inventory_non_negative": (1, 0)}
    assert not summary.all_passed
    assert [r.passed for r in rules.get_validation_results()] == [True, False, True]
    rules.clear_validation_results()
    cleared = rules.get_validation_summary()
    assert (cleared.total, cleared.all_passed, cleared.messages) == (0, True, ())


def test_a_message_names_the_first_offenders_and_counts_the_rest(
    rules: BusinessRulesEngine,
) -> None:
    rules.validate_inventory_non_negative([move(0, -1, product=1000 + n) for n in range(8)])
    (message,) = rules.get_validation_summary().messages
    assert message.count("holds -1 of ProductID") == 5
    assert message.endswith("; and 3 more")


def test_rules_hold_for_rendered_tables(rules: BusinessRulesEngine, retailer: Retailer) -> None:
    assert rules.validate_truck_timing(retailer.render("truck_moves", "2024-01-03"))
    days = retailer.days("store_inventory_txn", "2024-01-01", "2024-01-04")
    movements = pa.concat_tables(days)
    assert rules.validate_inventory_non_negative(movements)
    opening = pa.compute.equal(movements["Reason"].cast(pa.string()), "INITIAL_STOCK")
    without = movements.filter(pa.compute.invert(opening))
    assert not rules.validate_inventory_non_negative(without)
