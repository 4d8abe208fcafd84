"""Online orders once stock has answered: which lines are kept, and what the order comes to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retail_datagen.behaviour.online import PICKUP, OrderLines, Orders
from retail_datagen.core.arrays import I64, Bool
from retail_datagen.core.groups import starts
from retail_datagen.plan.dayplan import DayPlan, first_traces
from retail_datagen.plan.market import Market

_COUPONS = ((0.05, 15), (0.15, 10), (0.30, 5))
"""Share of orders, cumulative, whose coupon takes so many percent off."""


@dataclass(frozen=True, slots=True)
class OrderDay:
    """The orders placed on one day: what was drawn, what is kept, what it costs in cents.

    `kept` is per line; money and `cancelled` (nothing left of it) are per order.
    """

    day: int
    first_trace: int
    first_order: int
    orders: Orders
    lines: OrderLines
    kept: Bool
    unit_price: I64
    subtotal: I64
    discount: I64
    shipping: I64
    tax: I64
    cancelled: Bool

    @property
    def total(self) -> I64:
        return self.subtotal - self.discount + self.shipping + self.tax


def order_day(market: Market, plan: DayPlan) -> OrderDay:
    """The online orders of the plan's day."""
    orders, lines = market.online_orders(plan.day)
    world, online = market.world, market.profile.online
    kept = np.ones(len(lines), dtype=np.bool_)
    kept[plan.lost_order_lines.row] = False
    unit_price = market.tables(plan.day).prices.price[lines.product]
    extended = np.where(kept, unit_price * lines.quantity, 0)
    first = starts(lines.order, len(orders))
    subtotal = np.add.reduceat(extended, first) if len(orders) else extended
    taxed = np.where(world.products.taxable[lines.product], extended, 0)
    taxable = np.add.reduceat(taxed, first) if len(orders) else taxed
    percent = np.zeros(len(orders), dtype=np.int64)
    for share, off in reversed(_COUPONS):
        percent[orders.coupon_bits < round(share * 65_536)] = off
    discount = subtotal * percent // 100
    cancelled = subtotal == 0
    free = round(online.free_shipping_from * 100)
    ships = (orders.mode != PICKUP) & ~cancelled
    surcharge = np.array([round(s.surcharge * 100) for s in online.speeds], dtype=np.int64)
    shipping = np.where(ships & (subtotal - discount < free), round(online.shipping * 100), 0)
    shipping += np.where(ships, surcharge[orders.speed], 0)
    rate = world.geographies.tax_ppm[world.customers.geography[orders.customer]].astype(np.int64)
    tax = ((taxable - taxable * percent // 100) * rate + 500_000) // 1_000_000
    return OrderDay(
        plan.day,
        first_traces(plan).orders,
        plan.first_order,
        orders,
        lines,
        kept,
        unit_price,
        subtotal,
        discount,
        shipping,
        tax,
        cancelled,
    )
