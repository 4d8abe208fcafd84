"""Carts of a day: those that became its orders, and those that did not.

A cart becomes an order on the day it is made, so that its partition says all there is to say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retail_datagen.core.calendar import DAY_SECONDS
from retail_datagen.core.groups import starts
from retail_datagen.core.order import stable_order
from retail_datagen.core.rng import I64, Stream
from retail_datagen.plan.market import Market
from retail_datagen.tables.fulfilment import OrderDay

I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]
STATUSES = ("open", "converted", "abandoned", "emptied")
OPEN, CONVERTED, ABANDONED, EMPTIED = range(4)
_LEAST_SHOPPING, _MOST_SHOPPING = 60, 5_400
"""Seconds between making a cart and ordering, or last touching it. Chosen."""


@dataclass(frozen=True, slots=True)
class CartSizes:
    """How many carts and items a day has, without knowing what is in them."""

    carts: int
    items: int


@dataclass(frozen=True, slots=True)
class Carts:
    """Carts of a day by time: [carts], and their items, one after the other: [cart items].

    `of_order` is the cart of each order. Emptied carts have no items. `total` in cents.
    """

    created: I32
    updated: I32
    customer: I32
    status: U8
    total: I64
    of_order: I64
    cart: I64
    product: NDArray[np.uint16]
    quantity: U8
    price: I64
    added: I32

    def __len__(self) -> int:
        return len(self.created)


@dataclass(frozen=True, slots=True)
class _Left:
    """Carts that did not become orders: [carts], in no order of time."""

    created: I32
    updated: I32
    customer: I32
    status: U8
    lines: U8


def cart_sizes(market: Market, day: int, orders: int, order_lines: int) -> CartSizes:
    """What `carts_of` will give for a day with so many orders and lines."""
    left = _left_behind(market, day, orders, Stream(market.seed, "shop.carts", day))
    filled = left.lines[left.status != EMPTIED]
    return CartSizes(orders + len(left.created), order_lines + int(filled.sum(dtype=np.int64)))


def carts_of(market: Market, placed: OrderDay) -> Carts:
    """All carts of the day on which `placed` was ordered."""
    day, orders = placed.day, placed.orders
    stream = Stream(market.seed, "shop.carts", day)
    left = _left_behind(market, day, len(orders), stream)
    tables = market.tables(day)
    filled = np.flatnonzero(left.status != EMPTIED)
    wanted = market.online.lines_of(
        day, left.customer[filled], left.lines[filled], tables.shelves, stream
    )
    bought = placed.lines
    shopping = _LEAST_SHOPPING + stream.below(len(orders), _MOST_SHOPPING)
    created = np.maximum(orders.second - shopping, 0)
    created = np.concatenate([created, left.created])
    order = stable_order(created)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    cart = np.concatenate([place[bought.order], place[len(orders) + filled][wanted.order]])
    by_cart = stable_order(cart)
    cart = cart[by_cart]
    product = np.concatenate([bought.product, wanted.product])[by_cart]
    quantity = np.concatenate([bought.quantity, wanted.quantity])[by_cart]
    price = tables.prices.price[product]
    updated = np.concatenate([orders.second, left.updated])[order].astype(np.int32)
    created = created[order].astype(np.int32)
    return Carts(
        created=created,
        updated=updated,
        customer=np.concatenate([orders.customer, left.customer])[order],
        status=np.concatenate([np.full(len(orders), CONVERTED, np.uint8), left.status])[order],
        total=np.bincount(cart, weights=price * quantity, minlength=len(order)).astype(np.int64),
        of_order=place[: len(orders)],
        cart=cart,
        product=product,
        quantity=quantity,
        price=price,
        added=_added(created, updated, cart),
    )


def _left_behind(market: Market, day: int, orders: int, stream: Stream) -> _Left:
    """As many as the share of carts that become orders asks for."""
    funnel = market.profile.webshop.funnel
    conversion = round(funnel.conversion * 10_000)
    count = orders * (10_000 - conversion) // conversion
    created = market.online.times(stream, count)
    customer = market.online.shoppers.pick(stream, day, count)
    bits = stream.u64(count).view(np.uint16).reshape(-1, 4)
    emptied = bits[:, 0] < round(funnel.emptied * 65_536)
    touched = created + _LEAST_SHOPPING + bits[:, 1].astype(np.int64) * _MOST_SHOPPING // 65_536
    updated = np.minimum(touched, DAY_SECONDS - 1).astype(np.int32)
    # Those touched last are the ones that are still open.
    latest = np.sort(updated)[-max(round(count * funnel.open), 1) :]
    still = ~emptied & (updated >= latest[0]) if count and funnel.open else np.zeros_like(emptied)
    status = np.where(emptied, EMPTIED, np.where(still, OPEN, ABANDONED)).astype(np.uint8)
    return _Left(created, updated, customer, status, market.online.sizes(bits[:, 2]))


def _added(created: I32, updated: I32, cart: I64) -> I32:
    """When each item was put into its cart: evenly between its making and its last touch."""
    sizes = np.bincount(cart, minlength=len(created))
    position = np.arange(len(cart)) - starts(cart, len(created))[cart]
    spread = (updated - created)[cart].astype(np.int64) * (position + 1) // (sizes[cart] + 1)
    added: I32 = (created[cart] + spread).astype(np.int32)
    return added
