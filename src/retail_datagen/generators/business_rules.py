"""Rules that every retailer keeps, as checks of rows that one holds in hand.

Each check answers with a bool and remembers what it found; `get_validation_summary` tells it all.
A whole history on disk is checked by `retail-datagen verify`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

from retail_datagen.config.errors import UserError
from retail_datagen.core.arrays import I64
from retail_datagen.generators.columns import Columns, Rows
from retail_datagen.tables.truck_moves import STATUSES

_SHOWN = 5
"""Offending rows that one message names."""
Amount = Decimal | int | float | str


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """One check: the rule, whether it held, and what was wrong."""

    rule: str
    passed: bool
    message: str = ""


@dataclass(frozen=True, slots=True)
class ValidationSummary:
    """All checks since the last `clear_validation_results`; counts are per rule in `by_rule`."""

    passed: int
    failed: int
    by_rule: Mapping[str, tuple[int, int]]
    """(passed, failed) of each rule that was checked."""
    messages: tuple[str, ...]

    @property
    def total(self) -> int:
        return self.passed + self.failed

    @property
    def all_passed(self) -> bool:
        return self.failed == 0


class BusinessRulesEngine:
    """Checks rows: records, dicts with the files' column names, Arrow tables or data frames."""

    def __init__(self) -> None:
        self._results: list[ValidationResult] = []

    def validate_receipt_totals(
        self, receipt_lines: Rows, total_amount: Amount, tax: Amount = 0
    ) -> bool:
        """Whether a receipt's total is, to the cent, the sum of its lines' ExtPrice and the tax.

        Where the lines say so, each ExtPrice must also be UnitPrice × Qty.
        """
        lines = Columns(receipt_lines, "receipt lines", ["ExtPrice"])
        extended = lines.cents("ExtPrice")
        problems = []
        if "UnitPrice" in lines and "Qty" in lines:
            priced = lines.cents("UnitPrice") * lines.ints("Qty")
            problems += [
                f"line {row + 1} is {_money(extended[row])}, UnitPrice × Qty is "
                f"{_money(priced[row])}"
                for row in np.flatnonzero(priced != extended)
            ]
        subtotal = _money(extended.sum())
        total, taxed = _amount(total_amount, "total_amount"), _amount(tax, "tax")
        if subtotal + taxed != total:
            problems.append(
                f"lines are {subtotal} and tax {taxed}, together "
                f"{subtotal + taxed}, but the total is {total}"
            )
        return self._record("receipt_totals", problems)

    def validate_inventory_non_negative(self, transactions: Rows) -> bool:
        """Whether stock, from nothing on, never falls below zero.

        `transactions` are movements of stores or DCs since INITIAL_STOCK, in any order; at equal
        times what comes in counts before what goes out.
        """
        needed = ["EventTS", "ProductID", "QtyDelta"]
        moves = Columns(transactions, "inventory transactions", needed)
        place_name = next((name for name in ("StoreID", "DCID") if name in moves), None)
        if not len(moves):
            return self._record("inventory_non_negative", [])
        if place_name is None:
            raise UserError("inventory transactions: no column StoreID or DCID; one is needed")
        place, product = moves.ints(place_name), moves.ints("ProductID")
        second, units = moves.seconds("EventTS"), moves.ints("QtyDelta")
        order = np.lexsort((units < 0, second, product, place))
        place, product, units = place[order], product[order], units[order]
        starts = (np.diff(place, prepend=-1) != 0) | (np.diff(product, prepend=-1) != 0)
        stock = _running(units, starts)
        low = np.flatnonzero(stock < 0)
        _, first = np.unique(np.cumsum(starts)[low], return_index=True)
        problems = [
            f"{place_name} {place[row]} holds {stock[row]} of ProductID {product[row]} at "
            f"{np.datetime64(int(second[order][row]), 's')}"
            for row in low[first]
        ]
        return self._record("inventory_non_negative", problems)

    def validate_pricing(self, products: Rows) -> bool:
        """Whether each product's Cost ≤ Price ≤ MSRP, and all are above zero."""
        rows = Columns(products, "products", ["Cost", "Price", "MSRP"])
        cost, price, msrp = rows.cents("Cost"), rows.cents("Price"), rows.cents("MSRP")
        wrong = np.flatnonzero((cost <= 0) | (cost > price) | (price > msrp))
        names = rows.texts("ProductID") if "ProductID" in rows else None
        problems = [
            f"{f'ProductID {names[row]}' if names else f'row {row + 1}'} has Cost "
            f"{_money(cost[row])}, Price {_money(price[row])}, MSRP {_money(msrp[row])}"
            for row in wrong
        ]
        return self._record("pricing", problems)

    def validate_truck_timing(self, truck_moves: Rows) -> bool:
        """Whether each shipment goes from SCHEDULED to COMPLETED in order, without going back.

        Times may be equal, statuses may still be missing at the end, and ETA is not after ETD.
        """
        moves = Columns(truck_moves, "truck moves", ["ShipmentId", "Status", "EventTS"])
        shipments, statuses = moves.texts("ShipmentId"), moves.texts("Status")
        second = moves.seconds("EventTS")
        problems = []
        if "ETA" in moves and "ETD" in moves:
            late = np.flatnonzero(moves.seconds("ETA") > moves.seconds("ETD"))
            problems += [f"{shipments[row]} has its ETA after its ETD" for row in late]
        by_shipment: dict[str, list[tuple[int, str]]] = {}
        for shipment, status, time in zip(shipments, statuses, second, strict=True):
            by_shipment.setdefault(shipment, []).append((int(time), status))
        for shipment, events in by_shipment.items():
            problems += _out_of_order(shipment, events)
        return self._record("truck_timing", problems)

    def get_validation_results(self) -> list[ValidationResult]:
        """Every check in the order made."""
        return list(self._results)

    def get_validation_summary(self) -> ValidationSummary:
        """How many checks passed and failed, per rule and together, and what was wrong."""
        passed = Counter(result.rule for result in self._results if result.passed)
        failed = Counter(result.rule for result in self._results if not result.passed)
        return ValidationSummary(
            passed=passed.total(),
            failed=failed.total(),
            by_rule={rule: (passed[rule], failed[rule]) for rule in passed | failed},
            messages=tuple(result.message for result in self._results if not result.passed),
        )

    def clear_validation_results(self) -> None:
        """Forget all checks."""
        self._results.clear()

    def _record(self, rule: str, problems: Sequence[str]) -> bool:
        shown = "; ".join(problems[:_SHOWN])
        rest = len(problems) - _SHOWN
        message = f"{rule}: {shown}{f'; and {rest} more' if rest > 0 else ''}" if problems else ""
        self._results.append(ValidationResult(rule, not problems, message))
        return not problems


def _out_of_order(shipment: str, events: list[tuple[int, str]]) -> list[str]:
    """What is wrong with a shipment's (second, status)s."""
    unknown = sorted({status for _, status in events} - set(STATUSES))
    if unknown:
        return [f"{shipment} has the unknown status {', '.join(unknown)}"]
    ranked = sorted((second, STATUSES.index(status)) for second, status in events)
    ranks = [rank for _, rank in ranked]
    if ranks != list(range(len(ranks))):
        return [f"{shipment} goes {' → '.join(STATUSES[rank] for rank in ranks)}"]
    return []


def _running(units: I64, starts: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> I64:
    """Running sums that begin anew at each start."""
    total = np.cumsum(units)
    before = (total - units)[starts]
    return total - before[np.cumsum(starts) - 1] if len(units) else total


def _money(cents: int | np.integer[Any]) -> Decimal:
    return Decimal(int(cents)).scaleb(-2)


def _amount(value: Amount, name: str) -> Decimal:
    """An amount as it is written: 25.98 is 25.98, not the binary number next to it."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise UserError(f"{name}: {value!r} is not an amount, such as 25.98") from None
    if not amount.is_finite():
        raise UserError(f"{name}: {value!r} is not an amount, such as 25.98")
    return amount
