"""Which movement of stock belongs to which sale."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retail_datagen.core.arrays import I64


def updates_of_sales(sales: pa.Table, updates: pa.Table) -> I64:
    """The row of `updates` (retail_inventory_updates) of each of a day's sales: [sales].

    Both tell second, store, product and units of the same lines; of lines that agree in all, the
    first sale has the first movement.
    """
    sold = np.flatnonzero(pc.equal(updates["reason"].cast(pa.string()), "sale").to_numpy())
    moved = updates.take(pa.array(sold))
    keys = np.concatenate([_keys(sales, "quantity", 1), _keys(moved, "quantity_change", -1)])
    _, code = np.unique(keys, axis=0, return_inverse=True)
    of_sale, of_movement = np.split(code.reshape(-1), [sales.num_rows])
    of_sale, of_movement = _numbered(of_sale), _numbered(of_movement)
    order = np.argsort(of_movement)
    matched: I64 = sold[order[np.searchsorted(of_movement, of_sale, sorter=order)]]
    return matched


def _numbered(code: I64) -> I64:
    """Codes that differ: those that are equal are told apart by how many came before."""
    order = np.argsort(code, kind="stable")
    ordered = code[order]
    before = np.empty(len(code), dtype=np.int64)
    before[order] = np.arange(len(code)) - np.searchsorted(ordered, ordered)
    numbered: I64 = (code.astype(np.int64) << 24) | before
    return numbered


def _keys(rows: pa.Table, units: str, sign: int) -> I64:
    """[rows, 4]"""
    product = rows["product_id"].combine_chunks()
    return np.column_stack(
        [
            rows["timestamp"].cast(pa.int64()).to_numpy(),
            rows["store_id"].to_numpy().astype(np.int64),
            product.indices.to_numpy().astype(np.int64),
            sign * rows[units].to_numpy().astype(np.int64),
        ]
    )
