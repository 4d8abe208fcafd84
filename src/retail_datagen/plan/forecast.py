"""What each place expects to sell: the rates behind reorder points and opening stock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retail_datagen.behaviour.online import DC, MODES
from retail_datagen.core.arrays import F64, I64, Ints
from retail_datagen.plan.market import Market

_STORE_LEAD_DAYS = 2.0
"""Chosen: the evening's order leaves the next day; one more for a truck that was full."""
_STORE_SAFETY_DEVIATIONS = 1.5
"""Chosen: beside the safety days, so that stock-outs are seldom and not absent."""
_DC_LEAD_DAYS = 10
"""Chosen: above what suppliers take on average, so that DCs run dry seldom."""
_ONLINE_UNITS_PER_LINE = 1.25
"""Chosen: mean units per online line as behaviour draws them."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Stock levels in units, one for each cell."""

    reorder_point: I64
    order_up_to: I64


@dataclass(frozen=True, slots=True)
class StorePoints:
    """Terms of the stores' levels, by product (`per_unit` …, `pack`) and store (`units`, `roots`).

    Demand is units x share, so what depends on its root is a product of roots: levels of
    millions of cells cost two multiplications each.
    """

    per_unit: F64
    per_root: F64
    cover: F64
    units: F64
    roots: F64
    shown: float
    pack: I64

    def reorder_point(self, store: Ints, product: Ints) -> I64:
        """Units at which a cell is reordered; store and product rows broadcast."""
        point = self.units[store] * self.per_unit[product]
        point += self.roots[store] * self.per_root[product]
        point += self.shown
        return point.astype(np.int64)

    def highest_reorder_point(self) -> I64:
        """Each product's, in the store that sells most: nowhere else is it higher."""
        return self.reorder_point(np.argmax(self.units, keepdims=True), np.arange(len(self.pack)))

    def order_up_to(self, store: Ints, product: Ints, reorder_point: I64) -> I64:
        """Units that an order fills a cell up to."""
        cover = np.ceil(self.units[store] * self.cover[product]).astype(np.int64)
        return reorder_point + np.maximum(cover, self.pack[product])


class Forecast:
    """Expected units per place, product and day, and the levels that follow from them."""

    def __init__(self, market: Market) -> None:
        self._market = market
        world, volume = market.world, market.volume
        supply, online = market.profile.supply, market.profile.online
        self._supply = supply
        traffic = world.stores.traffic.astype(np.float64)
        self.store_share: F64 = traffic / traffic.cumsum()[-1]
        in_stores = market.units_per_day
        ordered = volume.online_orders_per_day * online.lines_mean * _ONLINE_UNITS_PER_LINE
        weights = [online.modes.get(mode, 0.0) for mode in MODES]
        from_dc = ordered * weights[DC] / sum(weights)
        self.store_units: F64 = (in_stores + ordered - from_dc) * self.store_share
        dcs = np.arange(len(world.dcs.dc_id))
        of_dc = [(world.stores.dc == dc).nonzero()[0] for dc in dcs]
        stores = np.array(
            [self.store_units[rows].cumsum()[-1] if len(rows) else 0.0 for rows in of_dc]
        )
        share = np.array(
            [self.store_share[rows].cumsum()[-1] if len(rows) else 0.0 for rows in of_dc]
        )
        self.dc_units: F64 = stores + from_dc * share
        self._pack = world.products.pack.astype(np.int64)

    def demand(self, day: int, ahead: int, days: int) -> F64:
        """Expected share of a mean day's units per product and day, `ahead` days from `day`.

        Traffic is the mean of the `days` days after `day`: [products].
        """
        calendar = self._market.world.calendar
        row = calendar.row(day)
        ppm = calendar.traffic_ppm[row + 1 : row + 1 + days]
        traffic = int(ppm.sum()) / (len(ppm) * 1_000_000) if len(ppm) else 1.0
        prices = self._market.pricing.on(day + ahead)
        return self._market.assortment.product_shares(day + ahead, prices) * traffic

    def store_points(self, day: int) -> StorePoints:
        """Reorder points of any store cell for the week after `day`."""
        supply = self._supply
        demand = self.demand(day, ahead=3, days=7)
        return StorePoints(
            per_unit=demand * (_STORE_LEAD_DAYS + supply.store_safety_days),
            per_root=_STORE_SAFETY_DEVIATIONS * np.sqrt(demand * _STORE_LEAD_DAYS),
            cover=demand * supply.store_cover_days,
            units=self.store_units,
            roots=np.sqrt(self.store_units),
            shown=float(supply.presentation_units - 1),
            pack=self._pack,
        )

    def dc_levels(self, day: int) -> Levels:
        """Levels of all DCs, flat: [dcs x products]."""
        supply = self._supply
        rate = np.outer(self.dc_units, self.demand(day, ahead=10, days=28))
        during_lead = rate * _DC_LEAD_DAYS
        safety = rate * supply.dc_safety_days + 2.0 * np.sqrt(during_lead)
        case = 4 * self._pack
        reorder_point = np.floor(during_lead + safety + case).astype(np.int64)
        cover = np.ceil(rate * supply.dc_cover_days).astype(np.int64)
        return Levels(reorder_point.ravel(), (reorder_point + np.maximum(cover, case)).ravel())
