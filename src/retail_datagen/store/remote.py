"""A store's API as the target of an inventory: bulk calls that say what became of each row.

A call whose answer did not come is made again: what it created is then known and skipped.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from retail_datagen.store.http import StoreClient
from retail_datagen.store.rows import NO_ZONE, Added, ItemRows, Outcome, ProductRows

_TRIES = 4
LATE = "give it more with --api-timeout, or run the same command again: what is there is skipped"
_OUTCOMES = {
    "created": Outcome.CREATED,
    "exists": Outcome.EXISTS,
    "error": Outcome.ERROR,
    "conflict": Outcome.CONFLICT,
}


class StoreApi:
    """What takes an inventory through a client of its store, made with `LATE`."""

    batch = 1000

    def __init__(self, store: StoreClient) -> None:
        self._store = store

    def add_products(self, rows: ProductRows) -> Added:
        """Raises UserError when the API cannot be reached or does not take them."""
        columns = zip(
            rows.sku,
            rows.name,
            rows.category,
            (rows.cents / 100).tolist(),
            rows.reorder_threshold.tolist(),
            rows.optimal_stock_level.tolist(),
            strict=True,
        )
        names = (
            "sku",
            "name",
            "category",
            "unit_price",
            "reorder_threshold",
            "optimal_stock_level",
        )
        return self._add("products", [dict(zip(names, row, strict=True)) for row in columns])

    def add_items(self, rows: ItemRows) -> Added:
        """Raises UserError when the API cannot be reached or does not take them."""
        columns = zip(
            rows.rfid_tag,
            (epc or None for epc in rows.epc),
            rows.sku,
            (None if math.isnan(x) else x for x in rows.x.tolist()),
            (None if math.isnan(y) else y for y in rows.y.tolist()),
            (zone if zone != NO_ZONE else None for zone in rows.zone_id.tolist()),
            strict=True,
        )
        names = ("rfid_tag", "epc", "sku", "x_position", "y_position", "zone_id")
        return self._add("items", [dict(zip(names, row, strict=True)) for row in columns])

    def _add(self, what: str, rows: list[dict[str, Any]]) -> Added:
        path = f"/{what}/bulk"
        answer = self._store.ask("POST", path, {what: rows}, tries=_TRIES)
        outcome = np.full(len(rows), Outcome.ERROR, dtype=np.uint8)
        errors, conflicts = {}, {}
        try:
            for result in answer["results"]:
                row = range(len(rows)).index(int(result["row"]))
                outcome[row] = _OUTCOMES[result["status"]]
                if result["status"] == "error":
                    errors[row] = str(result.get("detail") or "it was refused")
                elif result["status"] == "conflict":
                    conflicts[row] = str(result.get("detail") or "it is there otherwise")
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            raise self._store.answers_strangely(path) from None
        return Added(outcome, errors, conflicts)
