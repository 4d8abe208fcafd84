"""One store of a generated retailer, read from its history's files: products, movements, receipts.

Whoever wrote the files, what is read here is checked as far as a store of single items needs it;
`retail-datagen verify` checks the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from retail_datagen import tables
from retail_datagen.config.errors import ConfigError, UserError
from retail_datagen.config.library import profile_file, read_profile
from retail_datagen.core.arrays import I64
from retail_datagen.quality.files import History, find_history
from retail_datagen.schema import Kind, Table
from retail_datagen.store.database.bulk import CENTS

_SQL = {
    Kind.INT: "INTEGER",
    Kind.LONG: "BIGINT",
    Kind.MONEY: "DECIMAL(12,2)",
    Kind.TIMESTAMP: "TIMESTAMP",
    Kind.DATE: "DATE",
    Kind.FLAG: "BOOLEAN",
    Kind.FLOAT: "DOUBLE",
}
_NEEDED = ("receipts", "receipt_lines", "store_inventory_txn")
PURCHASE = "CUSTOMER_PURCHASE"


@dataclass(frozen=True, slots=True)
class Flow:
    """Units that enter or leave: [movements], in order of time. `product` is a row of the store's
    products, `at` datetime64[us]; texts are Python's."""

    product: I64
    at: Any
    units: I64
    reason: list[str]


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of receipts: [lines], in order of time. Prices are cents."""

    product: I64
    at: Any
    units: I64
    cents: I64
    receipt: list[str]


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """A store's history from its first midnight to `end`, the midnight after its last day.

    Products are those that it ever held, by their identifiers. `arrivals` and `departures` are
    movements less what was bought at the tills, which `lines` say.
    """

    store: int
    first: datetime
    end: datetime
    product_id: I64
    sku: list[str]
    name: list[str]
    category: list[str]
    zone: list[str]
    cents: I64
    arrivals: Flow
    departures: Flow
    lines: Lines

    @property
    def days(self) -> int:
        return (self.end - self.first).days

    def closing(self) -> I64:
        """Units of each product at the end."""
        count = len(self.product_id)
        stock = np.zeros(count, dtype=np.int64)
        for flow, sign in ((self.arrivals, 1), (self.departures, -1), (self.lines, -1)):
            np.add.at(stock, flow.product, sign * flow.units)
        return stock


def read_store(folder: Path, store: int) -> StoreFacts:
    """The history of one store below `folder`, from its opening stock on.

    Raises UserError for files that are not there or do not fit each other, and for a store that is
    not known.
    """
    history = find_history(folder)
    first, last = _days(history)
    with closing(duckdb.connect()) as connection:
        try:
            return _read(connection, history, store, first, last)
        except duckdb.Error as error:
            said = str(error).splitlines()[0]
            raise UserError(
                f"facts: {history.facts} cannot be read: {said}; `retail-datagen verify` says what "
                "is wrong with it"
            ) from None


def _days(history: History) -> tuple[date, date]:
    """First and last day. Raises UserError unless all tables have all days between."""
    days = {name: {p.day for p in history.partitions if p.table == name} for name in _NEEDED}
    missing = [name for name, found in days.items() if not found]
    if missing:
        raise UserError(
            f"facts: {history.facts} lacks {', '.join(missing)}; a store is made from "
            f"{', '.join(_NEEDED)}"
        )
    first, last = min(min(d) for d in days.values()), max(max(d) for d in days.values())
    if history.origin:
        first = min(first, history.origin.history_start)
    span = (first + timedelta(days=n) for n in range((last - first).days + 1))
    for day in span:
        for name, found in days.items():
            if day not in found:
                raise UserError(
                    f"facts: {name} has no {day}; a store is made from all days of a history, "
                    f"{first} to {last} here"
                )
    return first, last


def _read(
    connection: duckdb.DuckDBPyConnection, history: History, store: int, first: date, last: date
) -> StoreFacts:
    for name in (*_NEEDED, "price_changes"):
        _view(connection, history, name)
    _products(connection, history)
    _refuse_unknown(connection, history, store)
    products: pa.Table = connection.sql(_OF_STORE, params=[store]).to_arrow_table()
    moved: pa.Table = connection.sql(_MOVED, params=[store]).to_arrow_table()
    product_id = products["ProductID"].to_numpy().astype(np.int64)
    zones = _zones(history)
    category = products["Category"].to_pylist()
    found = StoreFacts(
        store,
        datetime.combine(first, time()),
        datetime.combine(last + timedelta(days=1), time()),
        product_id,
        products["SKU"].to_pylist(),
        products["ProductName"].to_pylist(),
        category,
        [zones.get(name, "") for name in category],
        _cents(products["now"]),
        *_flows(product_id, moved),
        _lines(connection, store, product_id),
    )
    _check(found, moved)
    return found


_OF_STORE = """SELECT p.*, coalesce(c.price, p.Price) AS now FROM products p
    LEFT JOIN (SELECT ProductID, arg_max(NewPrice, EventTS) AS price FROM price_changes
        GROUP BY ALL) c USING (ProductID)
    WHERE ProductID IN (SELECT ProductID FROM store_inventory_txn WHERE StoreID = ?)
    ORDER BY ProductID"""
_MOVED = """SELECT ProductID, EventTS, QtyDelta, Reason, Source FROM store_inventory_txn
    WHERE StoreID = ? ORDER BY EventTS, QtyDelta < 0, TraceId, ProductID"""
_BOUGHT = """SELECT l.ProductID, l.EventTS, l.Qty, l.UnitPrice, l.ReceiptId FROM receipt_lines l
    JOIN receipts r USING (ReceiptId) WHERE r.StoreID = ?
    ORDER BY l.EventTS, l.ReceiptId, l.Line"""


def _refuse_unknown(connection: duckdb.DuckDBPyConnection, history: History, store: int) -> None:
    known = connection.execute(
        "SELECT DISTINCT StoreID FROM store_inventory_txn ORDER BY ALL"
    ).fetchall()
    stores = [row[0] for row in known]
    if store not in stores:
        raise UserError(
            f"store: there is no store {store} in {history.facts}; there are "
            f"{', '.join(map(str, stores[:20]))}{' …' if len(stores) > 20 else ''}"
        )


def _lines(connection: duckdb.DuckDBPyConnection, store: int, product_id: I64) -> Lines:
    lines: pa.Table = connection.sql(_BOUGHT, params=[store]).to_arrow_table()
    return Lines(
        _rows(product_id, lines["ProductID"]),
        lines["EventTS"].to_numpy().astype("M8[us]"),
        lines["Qty"].to_numpy().astype(np.int64),
        _cents(lines["UnitPrice"]),
        lines["ReceiptId"].to_pylist(),
    )


def _flows(product_id: I64, moved: pa.Table) -> tuple[Flow, Flow]:
    """(arrivals, departures but for purchases)."""
    units = moved["QtyDelta"].to_numpy().astype(np.int64)
    bought = np.array([source == PURCHASE for source in moved["Source"].to_pylist()], dtype=bool)
    product = _rows(product_id, moved["ProductID"])
    at = moved["EventTS"].to_numpy().astype("M8[us]")
    reason = moved["Reason"].to_pylist()
    parts = []
    for rows in (np.flatnonzero(units > 0), np.flatnonzero((units < 0) & ~bought)):
        chosen = [reason[row] for row in rows.tolist()]
        parts.append(Flow(product[rows], at[rows], np.abs(units[rows]), chosen))
    return parts[0], parts[1]


def _check(found: StoreFacts, moved: pa.Table) -> None:
    """Receipts and movements say the same, and stock is never negative in the end."""
    sold = np.zeros(len(found.product_id), dtype=np.int64)
    units = moved["QtyDelta"].to_numpy().astype(np.int64)
    bought = np.array([source == PURCHASE for source in moved["Source"].to_pylist()], dtype=bool)
    np.add.at(sold, _rows(found.product_id, moved["ProductID"])[bought], -units[bought])
    np.subtract.at(sold, found.lines.product, found.lines.units)
    wrong = np.flatnonzero((sold != 0) | (found.closing() < 0))
    if len(wrong):
        raise UserError(
            f"facts: receipts and stock of store {found.store} do not agree, for product "
            f"{found.product_id[wrong[0]]} first; `retail-datagen verify` says what is wrong"
        )


def _view(connection: duckdb.DuckDBPyConnection, history: History, name: str) -> None:
    """A table of the history as a view; without rows where it is not on file."""
    table = tables.registry()[name].table
    parts = [p for p in history.partitions if p.table == name]
    sources = [
        f"SELECT * FROM {_reader(table, form, [str(p.path) for p in parts if p.format == form])}"
        for form in sorted({p.format for p in parts})
    ]
    if not sources:
        columns = ", ".join(f'NULL::{_type(c.kind)} AS "{c.name}"' for c in table.columns)
        sources = [f"SELECT {columns} WHERE false"]
    connection.execute(f"CREATE VIEW {name} AS {' UNION ALL '.join(sources)}")


def _reader(table: Table, form: str, paths: Iterable[str]) -> str:
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    if form == "parquet":
        return f"read_parquet([{listed}], hive_partitioning=false)"
    columns = ", ".join(f"'{c.name}': '{_type(c.kind)}'" for c in table.columns)
    return (
        f"read_csv([{listed}], hive_partitioning=false, columns={{{columns}}},"
        " auto_detect=false, header=true, delim=',', quote='\"', escape='\"', nullstr='')"
    )


def _type(kind: Kind) -> str:
    return _SQL.get(kind, "VARCHAR")


def _products(connection: duckdb.DuckDBPyConnection, history: History) -> None:
    if history.master is None:
        raise UserError(
            f"facts: there is no master data beside {history.facts}; a store needs its products.csv"
        )
    path = str(history.master / "products.csv").replace("'", "''")
    connection.execute(
        "CREATE VIEW products AS SELECT ProductID::INTEGER AS ProductID, SKU, ProductName, "
        f"Category, Price::DECIMAL(12, 2) AS Price FROM read_csv('{path}', header=true, "
        "all_varchar=true, delim=',', quote='\"', escape='\"')"
    )


def _zones(history: History) -> dict[str, str]:
    """The zone of each category, where the history's profile is known."""
    name = history.origin.settings.get("profile", "") if history.origin else ""
    with suppress(ConfigError):
        return {c.name: c.zone for c in read_profile(profile_file(name)).categories}
    return {}


def _rows(product_id: I64, column: pa.ChunkedArray) -> I64:
    rows: I64 = np.searchsorted(product_id, column.to_numpy().astype(np.int64))
    return rows


def _cents(column: pa.ChunkedArray) -> I64:
    held = column.cast(CENTS).combine_chunks()
    cents: I64 = np.frombuffer(held.buffers()[1], dtype=np.int64)[held.offset :][: len(held)]
    return cents
