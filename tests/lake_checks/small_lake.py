"""A small lake of the e-commerce tables that keeps every rule, and ways to break one of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from retail_datagen.core.calendar import to_date, to_day
from retail_datagen.lake.columns import whole_numbers
from retail_datagen.lake.load import _event_column, _iso
from retail_datagen.partitions.layout import DEFAULT_VALUE, INGEST, Partition, part_name
from retail_datagen.partitions.manifest import Manifest, PartFile, Stamp
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema.parquet import write_parquet

FIRST = to_day(date(2020, 1, 1))
DAYS = 66
STAMP = Stamp("batch", "1.0", "c0ffee")


def _table(name: str, key: str, columns: Mapping[str, Any]) -> Table:
    specs = []
    for column, spec in columns.items():
        kind, references, null = (
            (*spec, "", False)[:3] if isinstance(spec, tuple) else (spec, "", False)
        )
        example = {"order_id": "ORD202001010000000001"}.get(column, "")
        specs.append(
            Column(column, kind, f"{column}.", references=references, null=null, example=example)
        )
    return Table(name, f"{name}.", tuple(specs), tuple(key.split()), namespace="ecom")


_INT, _LONG, _TEXT, _CATEGORY = Kind.INT, Kind.LONG, Kind.TEXT, Kind.CATEGORY
_MONEY, _TIME = Kind.MONEY, Kind.TIMESTAMP
_CUSTOMER = (_INT, "customers.customer_id")
_PRODUCT = (_INT, "product_catalog.product_id")
TABLES = {
    table.name: table
    for table in (
        _table(
            "customers", "customer_id", {"customer_id": _INT, "signup_date": (Kind.DATE, "", True)}
        ),
        _table(
            "product_catalog",
            "product_id",
            {"product_id": _INT, "category": _CATEGORY, "unit_price": _MONEY},
        ),
        _table(
            "shopping_carts",
            "cart_id",
            {
                "cart_id": _TEXT,
                "customer_id": _CUSTOMER,
                "created_at": _TIME,
                "cart_total": _MONEY,
                "status": (_CATEGORY, "", True),
            },
        ),
        _table(
            "cart_items",
            "cart_item_id",
            {
                "cart_item_id": _LONG,
                "cart_id": (_TEXT, "shopping_carts.cart_id"),
                "product_id": _PRODUCT,
                "added_at": (_TIME, "", True),
                "quantity": _INT,
                "unit_price": _MONEY,
            },
        ),
        _table(
            "orders",
            "order_id",
            {
                "order_id": _TEXT,
                "cart_id": (_TEXT, "shopping_carts.cart_id"),
                "order_date": _TIME,
                "customer_id": _CUSTOMER,
                "net_total": _MONEY,
            },
        ),
        _table(
            "order_items",
            "order_item_id",
            {
                "order_item_id": _LONG,
                "order_id": (_TEXT, "orders.order_id"),
                "product_id": _PRODUCT,
                "quantity": _INT,
                "unit_price": _MONEY,
                "discount_amount": _MONEY,
            },
        ),
        _table(
            "returns",
            "return_id",
            {
                "return_id": _TEXT,
                "order_id": (_TEXT, "orders.order_id"),
                "customer_id": _CUSTOMER,
                "return_date": _TIME,
                "refunded_amount": _MONEY,
            },
        ),
        _table(
            "return_items",
            "return_item_id",
            {
                "return_item_id": _LONG,
                "return_id": (_TEXT, "returns.return_id"),
                "order_id": (_TEXT, "orders.order_id"),
                "product_id": _PRODUCT,
                "quantity_returned": _INT,
                "refunded_amount": _MONEY,
            },
        ),
        Table(
            "visits",
            "Rows that nothing but their declaration says something of.",
            (
                Column("TraceId", Kind.TEXT, "Trace."),
                Column("EventTS", Kind.TIMESTAMP, "When."),
                Column("StoreID", Kind.INT, "Where."),
            ),
            ("EventTS", "StoreID"),
        ),
    )
}

Rows = list[dict[str, Any]]


class _History:
    """Makes rows, day by day; identifiers run on."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(7)
        self.last = dict.fromkeys(TABLES, 0)
        self.orders: list[tuple[int, dict[str, Any], Rows]] = []

    def number(self, table: str) -> int:
        self.last[table] += 1
        return self.last[table]

    def day(self, day: int) -> dict[str, Rows]:
        rows: dict[str, Rows] = {name: [] for name in list(TABLES)[2:]}
        start = day * 86_400
        for number in range(6):
            cart_id = f"CART{self.number('shopping_carts'):010}"
            customer = int(self.random.integers(1, 21))
            second = start + 3600 * (number + 1)
            products = self.random.choice(np.arange(1, 11), 2, replace=False)
            items = [
                {
                    "cart_item_id": self.number("cart_items"),
                    "cart_id": cart_id,
                    "product_id": int(product),
                    "added_at": second,
                    "quantity": int(self.random.integers(1, 4)),
                    "unit_price": 1000 + int(product),
                }
                for product in products
            ]
            total = sum(item["quantity"] * item["unit_price"] for item in items)
            status = ("converted", "emptied", "open")[min(number % 4, 2)]
            rows["shopping_carts"].append(
                {
                    "cart_id": cart_id,
                    "customer_id": customer,
                    "created_at": second,
                    "cart_total": 0 if status == "emptied" else total,
                    "status": f" {status.upper()} " if number == 1 else status,
                }
            )
            rows["cart_items"] += items
            if status == "converted":
                self._order(rows, cart_id, customer, second + 60, items, day)
        self._returns(rows, day)
        rows["visits"] = [
            {"TraceId": f"TR{i}", "EventTS": start + 60 * (i // 2), "StoreID": i % 2}
            for i in range(8)
        ]
        return rows

    def _order(
        self, rows: dict[str, Rows], cart: str, customer: int, second: int, items: Rows, day: int
    ) -> None:
        order_id = f"ORD{to_date(day):%Y%m%d}{self.number('orders'):010}"
        own = [
            {
                "order_item_id": self.number("order_items"),
                "order_id": order_id,
                **{name: item[name] for name in ("product_id", "quantity", "unit_price")},
                "discount_amount": 101,
            }
            for item in items
        ]
        net = sum(item["quantity"] * item["unit_price"] - 101 for item in own)
        order = {
            "order_id": order_id,
            "cart_id": cart,
            "order_date": second,
            "customer_id": customer,
            "net_total": net,
        }
        rows["orders"].append(order)
        rows["order_items"] += own
        self.orders.append((day, order, own))

    def _returns(self, rows: dict[str, Rows], day: int) -> None:
        # One of yesterday, and one at the very end of its window.
        chosen = [next((o for o in self.orders if o[0] == day - ago), None) for ago in (1, 60)]
        for which, found in enumerate(chosen):
            if found is None:
                continue
            _, order, items = found
            item = items[which]
            paid = item["quantity"] * item["unit_price"] - item["discount_amount"]
            return_id = f"RET{self.number('returns'):010}"
            rows["returns"].append(
                {
                    "return_id": return_id,
                    "order_id": order["order_id"],
                    "customer_id": order["customer_id"],
                    "return_date": day * 86_400 + 100,
                    "refunded_amount": paid,
                }
            )
            rows["return_items"].append(
                {
                    "return_item_id": self.number("return_items"),
                    "return_id": return_id,
                    "order_id": order["order_id"],
                    "product_id": item["product_id"],
                    "quantity_returned": item["quantity"],
                    "refunded_amount": paid,
                }
            )


def make_lake(folder: Path, days: int = DAYS) -> Path:
    """Write the lake of that many days."""
    signups: dict[str, Rows] = {}
    for customer in range(1, 21):
        day = None if customer > 18 else FIRST - 30 + customer
        value = DEFAULT_VALUE if day is None else to_date(day).isoformat()
        row = {"customer_id": customer, "signup_date": day}
        signups.setdefault(value, []).append(row)
    for value, rows in signups.items():
        write_partition(folder, Partition("customers", "signup_date", value), rows)
    # The second as Hive writes "Games/50% & more".
    for category in ("Books", "Games%2F50%25 & more"):
        rows = [
            {"product_id": number, "category": category, "unit_price": 1000 + number}
            for number in range(1, 11)
            if (number % 2 == 0) == (category == "Books")
        ]
        write_partition(folder, Partition("product_catalog", "category", category), rows)
    history = _History()
    for day in range(FIRST, FIRST + days):
        for name, rows in history.day(day).items():
            write_partition(folder, Partition.of_day(name, day), rows)
    return folder


def as_arrow(table: Table, rows: Rows) -> pa.Table:
    """Rows with money in cents and times in seconds as the table's batch."""
    arrays = []
    for column in table.columns:
        values = [row[column.name] for row in rows]
        if column.kind is Kind.MONEY:
            array = pa.array(values, pa.int64()).cast(pa.decimal128(21, 2))
            array = pc.divide(array, pa.scalar(100, pa.decimal128(3, 0))).cast(pa.decimal128(12, 2))
            arrays.append(array.cast(column.arrow_type))
        elif column.kind is Kind.DATE:
            arrays.append(pa.array(values, pa.int32()).cast(pa.date32()))
        elif column.kind is Kind.TIMESTAMP:
            arrays.append(pa.array(values, pa.int64()).cast(pa.timestamp("s")))
        elif column.kind is Kind.CATEGORY:
            arrays.append(pa.array(values, pa.string()).dictionary_encode())
        else:
            arrays.append(pa.array(values, column.arrow_type))
    return pa.Table.from_arrays(arrays, schema=table.arrow)


def write_partition(folder: Path, partition: Partition, rows: Rows) -> None:
    publish(folder, partition, as_arrow(TABLES[partition.table], rows))


def publish(folder: Path, partition: Partition, data: pa.Table, parts: int = 1) -> Manifest:
    """Write a partition whole: files, manifest, _SUCCESS."""
    table = TABLES[partition.table]
    own = folder / partition.folder
    own.mkdir(parents=True, exist_ok=True)
    for stale in own.glob("part-*"):
        stale.unlink()
    files = []
    size = -(-data.num_rows // max(parts, 1)) or 1
    for number in range(parts):
        path = folder / partition.part(number)
        part = data.slice(number * size, size)
        if data.schema.equals(table.arrow):
            write_parquet(table, part, path)
        else:
            pq.write_table(part, path, store_schema=False)
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        files.append(PartFile(path.name, part.num_rows, len(content), digest))
    low, high = _times(table, partition, data, own / part_name(0))
    created = datetime(2026, 1, 1).isoformat()
    manifest = Manifest(partition, tuple(files), low, high, STAMP, created)
    (folder / partition.manifest).write_bytes(manifest.to_json())
    (folder / partition.success).write_bytes(b"")
    return manifest


def _times(
    table: Table, partition: Partition, data: pa.Table, path: Path
) -> tuple[str | None, str | None]:
    if not data.num_rows or partition.by != INGEST:
        return None, None
    column = _event_column(pq.read_schema(path), table)
    if column is None:
        return f"{partition.value}T00:00:00", f"{partition.value}T23:59:59"
    seconds = whole_numbers(data.column(column))
    return _iso(int(seconds.min())), _iso(int(seconds.max()))


def partition_of(table: str, day: int) -> Partition:
    """The partition of the lake's n-th day, the first of which is 0."""
    return Partition.of_day(table, FIRST + day)


def read_partition(folder: Path, partition: Partition) -> pa.Table:
    """The rows of a partition, as they were written."""
    table = TABLES[partition.table]
    data = pq.ParquetFile(folder / partition.part(0)).read()
    return pa.Table.from_arrays(
        [data[n].cast(t.type) for n, t in zip(table.header, table.arrow, strict=True)],
        schema=table.arrow,
    )


def change(folder: Path, table: str, day: int, how: Callable[[pa.Table], pa.Table]) -> None:
    """Write a day again as `how` makes it, with a manifest that is right about it."""
    partition = partition_of(table, day)
    publish(folder, partition, how(read_partition(folder, partition)))


def with_value(column: str, value: Any, row: int = 0) -> Callable[[pa.Table], pa.Table]:
    """Another value in one row; a callable is given the value that stands there."""

    def how(data: pa.Table) -> pa.Table:
        old = data.column(column)
        values = old.to_pylist()
        values[row] = value(values[row]) if callable(value) else value
        at = data.column_names.index(column)
        return data.set_column(
            at, data.schema.field(column), pa.chunked_array([pa.array(values, old.type)])
        )

    return how


def edit_manifest(folder: Path, where: Partition, /, **what: Any) -> None:
    """Write a manifest again with other fields."""
    path = folder / where.manifest
    path.write_bytes(replace(Manifest.from_json(path.read_bytes()), **what).to_json())
