"""Which rows of a load are in the store already, and whether just as the load has them.

A row whose key is there with other values is a conflict: what is there stays, and whoever loads is
told in what it differs. Part of `arrivals`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from math import isnan
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from retail_datagen.core.arrays import F64, U8
from retail_datagen.store.database import models as m
from retail_datagen.store.database.bulk import among
from retail_datagen.store.rows import NO_ZONE, ItemRows, Outcome, ProductRows

_products, _items = m.products.c, m.inventory_items.c
_OF_PRODUCTS = ("name", "category", "unit_price", "reorder_threshold", "optimal_stock_level")
_OF_ITEMS = ("sku", "epc", "x_position", "y_position", "zone_id")
_SHOWN = 40

_Values = tuple[Any, ...]
Refuse = Callable[[int], str]
"""Why a row cannot be added; "" where it can, and then it counts as added."""


def judge_products(
    connection: Connection, rows: ProductRows, errors: dict[int, str]
) -> tuple[U8, dict[int, str]]:
    """(what becomes of each row, in what those differ whose SKU is there otherwise)."""
    columns = select(_products.sku, *(_products[name] for name in _OF_PRODUCTS))
    found = columns.where(among(connection, _products.sku, sound(rows.sku, errors)))
    known = {
        sku: (name, category or "", *rest)
        for sku, name, category, *rest in connection.execute(found)
    }
    given = zip(
        rows.name,
        rows.category,
        [Decimal(cents).scaleb(-2) for cents in rows.cents.tolist()],
        rows.reorder_threshold.tolist(),
        rows.optimal_stock_level.tolist(),
        strict=True,
    )
    return _judge(rows.sku, known, list(given), _OF_PRODUCTS, errors)


def known_items(
    connection: Connection, rows: ItemRows, errors: dict[int, str]
) -> dict[str, _Values]:
    """Those of the items that are there, by tag. What became of them since is none of that."""
    found = (
        select(
            _items.rfid_tag,
            _products.sku,
            _items.epc,
            _items.x_position,
            _items.y_position,
            _items.zone_id,
        )
        .join_from(m.inventory_items, m.products)
        .where(among(connection, _items.rfid_tag, sound(rows.rfid_tag, errors)))
    )
    return {tag: (sku, epc or None, *place) for tag, sku, epc, *place in connection.execute(found)}


def judge_items(
    rows: ItemRows, known: dict[str, _Values], errors: dict[int, str], refuse: Refuse
) -> tuple[U8, dict[int, str]]:
    """(what becomes of each row, in what those differ whose tag is `known` otherwise).

    `refuse` has the last word on an item that would be new.
    """
    given = zip(
        rows.sku,
        [epc or None for epc in rows.epc],
        _places(rows.x),
        _places(rows.y),
        [None if zone == NO_ZONE else zone for zone in rows.zone_id.tolist()],
        strict=True,
    )
    return _judge(rows.rfid_tag, known, list(given), _OF_ITEMS, errors, refuse)


def sound(keys: Sequence[str], errors: dict[int, str]) -> list[str]:
    """The keys of rows in which nothing is wrong."""
    return [key for row, key in enumerate(keys) if row not in errors] if errors else list(keys)


def _judge(
    keys: Sequence[str],
    known: dict[str, _Values],
    given: Sequence[_Values],
    names: Sequence[str],
    errors: dict[int, str],
    refuse: Refuse | None = None,
) -> tuple[U8, dict[int, str]]:
    """Only the first of those with the same key is new: of those that are not refused."""
    outcome = np.zeros(len(keys), dtype=np.uint8)
    conflicts: dict[int, str] = {}
    for row, key in enumerate(keys):
        if row in errors:
            outcome[row] = Outcome.ERROR
        elif key not in known:
            if why := refuse(row) if refuse else "":
                errors[row] = why
                outcome[row] = Outcome.ERROR
            else:
                known[key] = given[row]
        elif known[key] == given[row]:
            outcome[row] = Outcome.EXISTS
        else:
            outcome[row] = Outcome.CONFLICT
            conflicts[row] = _difference(names, known[key], given[row])
    return outcome, conflicts


def _difference(names: Sequence[str], known: _Values, given: _Values) -> str:
    differing = [
        f"{name}: {_shown(there)} is there, not {_shown(other)}"
        for name, there, other in zip(names, known, given, strict=True)
        if there != other
    ]
    return "; ".join(differing)


def _shown(value: object) -> str:
    if value is None:
        return "none"
    return repr(value[:_SHOWN]) if isinstance(value, str) else str(value)


def _places(values: F64) -> list[float | None]:
    return [None if isnan(value) else value for value in values.tolist()]
