"""What happens in a simulated store as events of the retailer's topics: rows for each happening.

Sales and movements of stock are told per product, alerts once a product falls below its reorder
threshold, and shoppers as they come in, walk the aisles, and leave.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from retail_datagen.config.library import profile_file, read_profile
from retail_datagen.core.arrays import I64, Ints
from retail_datagen.core.ids import texts
from retail_datagen.core.rng import integer_weights, lookup, mix
from retail_datagen.events.base import always
from retail_datagen.events.topics import customers, inventory, restock, sales
from retail_datagen.plan.replenish import HIGH, PRIORITIES, URGENT
from retail_datagen.schema import Kind, Table
from retail_datagen.schema.arrays import Values, batch, category, plain
from retail_datagen.schema.stamps import EVENT_ID, Stamped
from retail_datagen.store.catalogue import PROFILE
from retail_datagen.store.simulation.clock import wall
from retail_datagen.store.simulation.events import (
    AisleWalked,
    Event,
    Positions,
    Sale,
    StockChanged,
)

_WORD_OF = {"sale": "sale", "restock": "receipt", "stolen": "theft"}
_TENDER_SALT = 0x7E4D
_TENDER_BITS = 16


@dataclass(frozen=True, slots=True)
class Goods:
    """A store's products, by identifier: [products]. Units below `reorder_point` are too few."""

    product_id: I64
    sku: tuple[str, ...]
    reorder_point: I64
    optimal: I64


class StoreEvents:
    """Rows of the topics for one store's happenings, each with an identifier of its own.

    `goods` is asked for the store's products, and again when there are others; `run` once for the
    number of the run in whose name this begins. The shopper's number in the simulation stands for
    the customer, who is not known.
    """

    def __init__(self, goods: Callable[[], Goods], run: Callable[[], int], store_id: int) -> None:
        self._look_up = goods
        self._look_up_run = run
        self._goods = Goods(np.zeros(0, np.int64), (), np.zeros(0, np.int64), np.zeros(0, np.int64))
        self._store_id = store_id
        self._shoppers: frozenset[int] = frozenset()
        self._run: int | None = None
        self._number = 0
        tenders = read_profile(profile_file(PROFILE)).tenders
        self._tenders = tuple(tenders)
        self._tender = lookup(integer_weights(list(tenders.values())), _TENDER_BITS)

    def rows(self, event: Event) -> list[Stamped]:
        """What an event is in the topics: nothing, for many."""
        match event:
            case Sale():
                return [self._sale(event)]
            case StockChanged():
                return [self._movement(event), *self._alerts(event)]
            case AisleWalked():
                return [
                    self._seen(event.at, [event.shopper], "zone change", f"AISLE {event.aisle}")
                ]
            case Positions():
                return self._comings_and_goings(event)
        return []

    def _sale(self, sale: Sale) -> Stamped:
        product, first, units = np.unique(sale.products, return_index=True, return_counts=True)
        price = sale.prices[first]
        buyer = np.full(len(product), sale.shopper, dtype=np.int64)
        chance = mix(buyer + sale.at, _TENDER_SALT) >> np.uint64(64 - _TENDER_BITS)
        return self._stamped(
            sales.TABLE,
            sale.at,
            len(product),
            {
                "event_type": always("sale", len(product)),
                "transaction_id": pa.repeat(sale.basket, len(product)),
                "product_id": self._skus(product),
                "customer_id": buyer,
                "quantity": units,
                "unit_price": price,
                "total_amount": price * units,
                "payment_method": category(self._tender[chance], texts(self._tenders)),
                "promo_code": category(np.zeros(len(product)), texts([]), product < 0),
            },
        )

    def _movement(self, change: StockChanged) -> Stamped:
        count = len(change.products)
        ids = self._ids("UPD", change.at, count)
        behind = pa.repeat(change.basket, count) if change.basket else ids
        return self._stamped(
            inventory.TABLE,
            change.at,
            count,
            {
                "event_type": always("inventory_update", count),
                "update_id": ids,
                "product_id": self._skus(change.products),
                "quantity_change": change.change,
                "on_hand": change.on_hand,
                "reason": always(_WORD_OF[change.reason], count),
                "reference_id": behind,
            },
        )

    def _alerts(self, change: StockChanged) -> list[Stamped]:
        """One for each product that was not below its threshold before."""
        row = self._rows(change.products)
        goods = self._goods
        point = goods.reorder_point[row]
        low = (change.on_hand < point) & (change.on_hand - change.change >= point)
        if not low.any():
            return []
        on_hand, row = change.on_hand[low], row[low]
        count = len(row)
        alert = self._stamped(
            restock.TABLE,
            change.at,
            count,
            {
                "event_type": always("restock_alert", count),
                "alert_id": self._ids("ALR", change.at, count),
                "product_id": self._skus(change.products[low]),
                "on_hand": on_hand,
                "reorder_point": goods.reorder_point[row],
                "recommended_quantity": np.maximum(goods.optimal[row] - on_hand, 1),
                "priority": category(np.where(on_hand > 0, HIGH, URGENT), texts(PRIORITIES)),
            },
        )
        return [alert]

    def _comings_and_goings(self, event: Positions) -> list[Stamped]:
        inside = frozenset(event.who[~event.employee].tolist())
        came, gone = sorted(inside - self._shoppers), sorted(self._shoppers - inside)
        self._shoppers = inside
        told = ((came, "enter", "ENTRANCE"), (gone, "leave", "ENTRANCE"))
        return [self._seen(event.at, who, action, zone) for who, action, zone in told if who]

    def _seen(self, at: int, shoppers: Sequence[int], action: str, zone: str) -> Stamped:
        count = len(shoppers)
        return self._stamped(
            customers.TABLE,
            at,
            count,
            {
                "event_type": always("customer_event", count),
                "customer_id": np.array(shoppers, dtype=np.int64),
                "action": always(action, count),
                "zone": always(zone, count),
            },
        )

    def _stamped(self, table: Table, at: int, count: int, columns: dict[str, Values]) -> Stamped:
        ids = self._ids(table.name, at, count)
        shared: dict[str, Values] = {
            "timestamp": np.full(count, at // 1000),
            "store_id": plain(Kind.INT, np.full(count, self._store_id)),
        }
        if EVENT_ID in table.header:
            shared[EVENT_ID] = ids
        self._number += count
        return Stamped(table, batch(table, shared | columns), ids, np.full(count, _instant(at)))

    def _ids(self, lead: str, at: int, count: int) -> pa.Array:
        """Store, the first run that was heard, moment, and number since then."""
        if self._run is None:
            self._run = self._look_up_run()
        began = f"{lead}-SIM{self._store_id}-{self._run}-{at}"
        return pa.array([f"{began}-{self._number + n:06}" for n in range(count)], pa.string())

    def _skus(self, product: I64) -> pa.Array:
        distinct, code = np.unique(product, return_inverse=True)
        found = [self._goods.sku[row] for row in self._rows(distinct).tolist()]
        return category(code, texts(found))

    def _rows(self, product: Ints) -> I64:
        """The row of each product among the goods."""
        if not np.isin(product, self._goods.product_id).all():
            self._goods = self._look_up()
        rows: I64 = np.searchsorted(self._goods.product_id, product)
        return rows


def _instant(at: int) -> int:
    """A moment of this machine's wall clock (ms since 1970), in milliseconds UTC."""
    return round(wall(at).astimezone().timestamp() * 1000)
