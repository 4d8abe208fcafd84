"""The day's online orders as the shop has them: channel, agent, parcels, costs, discounts per item.

Amounts are the retailer's: what an order comes to is not computed here a second time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retail_datagen.behaviour.online import PICKUP
from retail_datagen.behaviour.pricing import PriceList
from retail_datagen.config.profile import Profile
from retail_datagen.core.groups import starts
from retail_datagen.core.rng import I64, Stream, integer_weights, lookup
from retail_datagen.tables.fulfilment import OrderDay
from retail_datagen.tables.tenders import online_tenders
from retail_datagen.world.model import World

U8 = NDArray[np.uint8]
I32 = NDArray[np.int32]
PHONE = "Phone"
NO_AGENT = -1
_CARRIER_SPREAD = (85, 110)
"""What a carrier asks, in percent of its usual price: by weight and zone. Chosen."""
_EACH_MORE = 60
"""Cents that each further unit in the parcel costs to ship. Chosen."""


@dataclass(frozen=True, slots=True)
class Items:
    """What was sold: [order items], by order. Money in cents; `discount` is the line's share.

    `cost` is per unit. `paid` is price times quantity less discount.
    """

    order: I64
    product: NDArray[np.uint16]
    quantity: U8
    price: I64
    discount: I64
    cost: I64

    @property
    def paid(self) -> I64:
        return self.price * self.quantity - self.discount


@dataclass(frozen=True, slots=True)
class Sale:
    """The orders of a day: [orders], by time, and their items.

    `channel` is a row of the profile's channels, `agent` a number from 1 or NO_AGENT.
    """

    placed: OrderDay
    channel: U8
    agent: I32
    tender: I64
    carrier_cost: I64
    fee: I64
    items: Items

    def __len__(self) -> int:
        return len(self.placed.orders)

    @property
    def net(self) -> I64:
        """What was paid for goods, in cents: [orders]."""
        return self.placed.subtotal - self.placed.discount


def cost_on(world: World, prices: PriceList) -> I64:
    """What a unit of each product costs the retailer on a day, in cents: it rises like prices."""
    products = world.products
    cost: I64 = (products.cost * prices.regular + products.price // 2) // products.price
    return cost


def sale_of(placed: OrderDay, world: World, profile: Profile, prices: PriceList, seed: int) -> Sale:
    """The shop's view of the online orders of a day."""
    shop, orders = profile.webshop, placed.orders
    count = len(orders)
    stream = Stream(seed, "shop.orders", placed.day)
    bits = stream.u64(count).view(np.uint16).reshape(-1, 4)
    names = list(shop.channels)
    channel = lookup(integer_weights(list(shop.channels.values())))[bits[:, 0]].astype(np.uint8)
    agent = 1 + bits[:, 1].astype(np.int32) % shop.agents
    by_phone = channel == (names.index(PHONE) if PHONE in names else len(names))
    tenders = online_tenders(profile)
    tender = lookup(integer_weights(list(tenders.values())))[orders.tender_bits].astype(np.int64)
    rate = np.array([round(shop.fees.get(name, 0.0) * 100_000) for name in tenders], dtype=np.int64)
    items = _items(placed, cost_on(world, prices))
    units = np.bincount(items.order, weights=items.quantity, minlength=count).astype(np.int64)
    return Sale(
        placed,
        channel,
        np.where(by_phone, agent, NO_AGENT).astype(np.int32),
        tender,
        _carrier_cost(placed, profile, units, bits[:, 2]),
        (placed.total * rate[tender] + 50_000) // 100_000,
        items,
    )


def _carrier_cost(placed: OrderDay, profile: Profile, units: I64, bits: NDArray[np.uint16]) -> I64:
    """What shipping costs the retailer, in cents; nothing for what is picked up or cancelled."""
    base = np.array([round(s.cost * 100) for s in profile.online.speeds], dtype=np.int64)
    low, high = _CARRIER_SPREAD
    percent = low + bits.astype(np.int64) % (high - low + 1)
    cost = (base[placed.orders.speed] + _EACH_MORE * np.maximum(units - 1, 0)) * percent // 100
    shipped = (placed.orders.mode != PICKUP) & ~placed.cancelled
    return np.where(shipped, cost, 0)


def _items(placed: OrderDay, cost: I64) -> Items:
    """The lines that were kept. An order's discount is shared out by price, to the cent."""
    kept = np.flatnonzero(placed.kept)
    lines = placed.lines
    order = lines.order[kept].astype(np.int64)
    quantity, product = lines.quantity[kept], lines.product[kept]
    price = placed.unit_price[kept]
    amount = price * quantity
    upto = np.cumsum(amount)
    first = starts(order, len(placed.orders))
    before = upto - amount
    within = before - before[np.minimum(first, len(order) - 1)][order] if len(order) else before
    subtotal = np.maximum(placed.subtotal, 1)[order]
    discount = placed.discount[order]
    # The share up to a line less the share up to the line before: they sum to the whole.
    share = (within + amount) * discount // subtotal - within * discount // subtotal
    return Items(order, product, quantity, price, share, cost[product])
