"""Stock, day after day: what is delivered, what is left, what is ordered again.

    flow = InventoryFlowSimulator(history_start="2024-01-01")
    flow.run_until("2024-01-07")
    flow.deliveries("2024-01-03")
    flow.stock(store_id=1)

The stock is the sum of the movements that the fact tables show, from INITIAL_STOCK on.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retail_datagen.config.errors import UserError
from retail_datagen.core.arrays import I64, Ints
from retail_datagen.retailer import Config, Date, Retailer, as_date


class InventoryFlowSimulator:
    """Walks a retailer's days. What a day's tables show may be asked for any day.

    Stock is known for the evenings that have been walked to; each keeps the cells that moved.
    """

    def __init__(
        self,
        config: Config = None,
        history_start: Date | None = None,
        retailer: Retailer | None = None,
    ) -> None:
        """A retailer of one's own, or one that is made as `Retailer` says."""
        self.retailer = retailer or Retailer(config, history_start)
        world = self.retailer.world
        products = world.products.product_id
        self._stores = _Ledger("store_inventory_txn", "StoreID", world.stores.store_id, products)
        self._dcs = _Ledger("dc_inventory_txn", "DCID", world.dcs.dc_id, products)
        self._next = self.retailer.history_start

    @property
    def today(self) -> date | None:
        """The last day that was walked through; none before the first step."""
        evening = self._next - timedelta(days=1)
        return evening if self._next > self.retailer.history_start else None

    def step(self, days: int = 1) -> date:
        """Walks through the next day, or several, and gives the last of them."""
        if days < 1:
            raise UserError(f"days: {days} is not allowed; give 1 or more")
        for _ in range(days):
            for ledger in (self._stores, self._dcs):
                ledger.post(self.retailer.render(ledger.table, self._next))
            self._next += timedelta(days=1)
        return self._next - timedelta(days=1)

    def run_until(self, day: Date) -> date:
        """Walks to the evening of a day, if it is not yet passed, and gives where it stands."""
        ahead = (as_date(day) - self._next).days + 1
        return self.step(ahead) if ahead > 0 else self._next - timedelta(days=1)

    def stock(
        self, day: Date | None = None, store_id: int | None = None, product_id: int | None = None
    ) -> pa.Table:
        """StoreID, ProductID, OnHand (units) on the evening of a day (today, unless given).

        Of one store or product, or of all. Walks on where the day lies ahead.
        """
        return self._stores.stock(self._evening(day), store_id, product_id)

    def dc_stock(
        self, day: Date | None = None, dc_id: int | None = None, product_id: int | None = None
    ) -> pa.Table:
        """DCID, ProductID, OnHand (units), as `stock` gives it for stores."""
        return self._dcs.stock(self._evening(day), dc_id, product_id)

    def on_hand(self, store_id: int, product_id: int, day: Date | None = None) -> int:
        """Units of a product in a store on the evening of a day (today, unless given)."""
        return int(self.stock(day, store_id, product_id)["OnHand"][0].as_py())

    def deliveries(self, day: Date) -> pa.Table:
        """What trucks brought to stores that day; Source is the truck."""
        moves = self.retailer.render("store_inventory_txn", day)
        inbound = moves.filter(pc.equal(moves["Reason"].cast(pa.string()), "INBOUND_SHIPMENT"))
        return inbound.select(["TraceId", "EventTS", "StoreID", "ProductID", "QtyDelta", "Source"])

    def truck_moves(self, day: Date) -> pa.Table:
        """Every status of the day's shipments."""
        return self.retailer.render("truck_moves", day)

    def reorders(self, day: Date) -> pa.Table:
        """What stores order in the night's review."""
        return self.retailer.render("reorders", day)

    def stockouts(self, day: Date) -> pa.Table:
        """Demand that met an empty shelf."""
        return self.retailer.render("stockouts", day)

    def _evening(self, day: Date | None) -> int:
        """Days walked by the evening of a day."""
        if day is None:
            day = self.today or self.retailer.history_start
        evening = as_date(day)
        if evening < self.retailer.history_start:
            raise UserError(
                f"day: {evening} is before the history, which begins on "
                f"{self.retailer.history_start}"
            )
        self.run_until(evening)
        return (evening - self.retailer.history_start).days + 1


class _Ledger:
    """Units per place and product, flat, and what each day changed."""

    def __init__(self, table: str, place: str, places: Ints, products: Ints) -> None:
        self.table, self._place = table, place
        self._places, self._products = places, products
        self._product_order = np.argsort(products)
        self._units: I64 = np.zeros(len(places) * len(products), dtype=np.int64)
        self._changes: list[tuple[I64, I64]] = []

    def post(self, moves: pa.Table) -> None:
        """Add a day's movements."""
        place = np.searchsorted(self._places, moves[self._place].to_numpy())
        product = self._product_order[
            np.searchsorted(
                self._products, moves["ProductID"].to_numpy(), sorter=self._product_order
            )
        ]
        cell, where = np.unique(place * len(self._products) + product, return_inverse=True)
        change = np.zeros(len(cell), dtype=np.int64)
        np.add.at(change, where, moves["QtyDelta"].to_numpy().astype(np.int64))
        self._units[cell] += change
        self._changes.append((cell, change))

    def stock(self, days: int, place_id: int | None, product_id: int | None) -> pa.Table:
        """Units after so many days."""
        units = self._units.copy()
        for cell, change in self._changes[days:]:
            units[cell] -= change
        grid = units.reshape(len(self._places), len(self._products))
        rows = _rows(self._places, place_id, self._place)
        columns = _rows(self._products, product_id, "ProductID")
        return pa.table(
            {
                self._place: np.repeat(self._places[rows], len(columns)),
                "ProductID": np.tile(self._products[columns], len(rows)),
                "OnHand": grid[np.ix_(rows, columns)].ravel(),
            }
        )


def _rows(identifiers: Ints, wanted: int | None, name: str) -> I64:
    if wanted is None:
        return np.arange(len(identifiers))
    found = np.flatnonzero(identifiers == wanted)
    if not len(found):
        raise UserError(
            f"{name}: {wanted} is not known; there are {len(identifiers)} from "
            f"{identifiers.min()} to {identifiers.max()}"
        )
    return found
