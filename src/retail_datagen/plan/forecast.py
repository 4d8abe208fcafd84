"""What each place expects to sell: the rates behind reorder points and opening stock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retail_datagen.behaviour.online import DC, MODES
from retail_datagen.core.rng import Ints
from retail_datagen.plan.market import Market

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
_STORE_LEAD_DAYS = 2.0
_DC_LEAD_DAYS = 10
_ONLINE_UNITS_PER_LINE = 1.25


@dataclass(frozen=True, slots=True)
class Levels:
    """Stock levels in units, one for each cell asked for."""

    reorder_point: I64
    order_up_to: I64


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

    def store_levels(self, day: int, store: Ints, product: Ints) -> Levels:
        """Levels of stores for the week after `day`; store and product rows broadcast."""
        supply = self._supply
        rate = self.store_units[store] * self.demand(day, ahead=3, days=7)[product]
        during_lead = rate * _STORE_LEAD_DAYS
        safety = rate * supply.store_safety_days + 1.5 * np.sqrt(during_lead)
        shown = float(supply.presentation_units - 1)
        reorder_point = np.floor(during_lead + safety + shown).astype(np.int64)
        cover = np.ceil(rate * supply.store_cover_days).astype(np.int64)
        return Levels(reorder_point, reorder_point + np.maximum(cover, self._pack[product]))

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
