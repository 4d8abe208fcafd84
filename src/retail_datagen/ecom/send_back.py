"""What comes back of a day's orders, decided when they are placed: which items, when and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retail_datagen.config.profile import Profile
from retail_datagen.core.calendar import DAY_SECONDS
from retail_datagen.core.groups import starts
from retail_datagen.core.rng import I64, Stream
from retail_datagen.ecom.plan import Returned
from retail_datagen.ecom.sale import Sale
from retail_datagen.world.model import World

_SOON_DAYS = 30
_WAKING = (8 * 3600, 15 * 3600)
"""Returns are announced from eight in the morning, for fifteen hours. Chosen."""
_MEAN_ITEMS = 0.45
"""Chosen: beside the first item of a return, the share of the order's others that come along."""


@dataclass(frozen=True, slots=True)
class Due:
    """Returns and the day (since 1970) on which each is sent back."""

    day: NDArray[np.int32]
    returned: Returned


def will_return(sale: Sale, world: World, profile: Profile, seed: int) -> Due:
    """The returns of a day's orders; an order comes back once at most, in whole or in part."""
    day, items = sale.placed.day, sale.items
    orders = len(sale)
    stream = Stream(seed, "shop.returns", day)
    odds = _item_odds(items.product, world, profile)
    first = starts(items.order, orders)
    sizes = np.bincount(items.order, minlength=orders)
    total = np.bincount(items.order, weights=odds, minlength=orders).astype(np.int64)
    mean = total // np.maximum(sizes, 1)
    share = round(profile.webshop.returns.share * 65_536)
    # Against the day's own mean, so that the share holds whatever is sold.
    typical = max(int(mean.sum()) // max(orders, 1), 1)
    chosen = np.flatnonzero(stream.u16(orders).astype(np.int64) * typical < share * mean)
    picked, units = _which(sale, chosen, first, sizes, odds, stream)
    due = _when(sale, chosen, profile, stream)
    count = len(chosen)
    before, after = _WAKING
    return Due(
        due.astype(np.int32),
        Returned(
            order_day=np.full(count, day, dtype=np.int32),
            order=sale.placed.first_order + chosen,
            customer=sale.placed.orders.customer[chosen],
            channel=sale.channel[chosen],
            second=(before + stream.below(count, after)).astype(np.int32),
            bits=stream.u32(count),
            items=np.bincount(np.searchsorted(chosen, items.order[picked]), minlength=count).astype(
                np.uint8
            ),
            product=items.product[picked],
            units=units.astype(np.uint8),
            price=items.price[picked].astype(np.int32),
            cost=items.cost[picked].astype(np.int32),
            paid=(items.paid[picked] * units // items.quantity[picked]).astype(np.int32),
        ),
    )


def _item_odds(product: NDArray[np.uint16], world: World, profile: Profile) -> I64:
    """Odds that an item comes back, in thousandths of the mean, by category."""
    by_name = {category.name: category.returns for category in profile.categories}
    odds = np.array([round(by_name[name] * 1000) for name in world.categories], dtype=np.int64)
    return odds[world.products.category[product]]


def _which(
    sale: Sale, chosen: I64, first: I64, sizes: I64, odds: I64, stream: Stream
) -> tuple[I64, I64]:
    """Rows of the items that come back, by order, and how many units of each: one at least."""
    items = sale.items
    lead = first[chosen] + stream.below(len(chosen), sizes[chosen])
    comes = np.zeros(len(items.order), dtype=np.bool_)
    comes[lead] = True
    along = np.zeros(len(sale), dtype=np.bool_)
    along[chosen] = True
    more = stream.u16(len(items.order)).astype(np.int64) * 1000 < round(_MEAN_ITEMS * 65_536) * odds
    comes |= along[items.order] & more
    picked = np.flatnonzero(comes)
    quantity = items.quantity[picked].astype(np.int64)
    part = 1 + stream.below(len(picked), quantity)
    # Half of them send back all units, the others some.
    whole = (stream.u8(len(picked)) & np.uint8(1)).astype(np.bool_)
    return picked, np.where(whole, quantity, part)


def _when(sale: Sale, chosen: I64, profile: Profile, stream: Stream) -> I64:
    """The day of each return: the day after delivery at the earliest, most within a month."""
    settings, day = profile.webshop.returns, sale.placed.day
    delivered = sale.placed.orders.delivered[chosen].astype(np.int64) // DAY_SECONDS
    soon = stream.u16(len(chosen)) < round(settings.within_30_days * 65_536)
    horizon = np.where(soon, min(_SOON_DAYS, settings.max_days), settings.max_days)
    begins = delivered + 1
    return day + begins + stream.below(len(chosen), np.maximum(horizon - begins + 1, 1))
