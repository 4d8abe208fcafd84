"""Orders: the retailer's online orders, as the shop's own database would have them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from retail_datagen.behaviour.online import PICKUP
from retail_datagen.config.webshop import TIERS, VALUES
from retail_datagen.ecom.base import (
    NAMESPACE,
    ShopTable,
    agents,
    cart_ids,
    customer_column,
    id_column,
)
from retail_datagen.ecom.context import ShopDay
from retail_datagen.ecom.customers import NO_TIER
from retail_datagen.ecom.lookups import billing
from retail_datagen.schema import Column, Encoding, Kind, Table
from retail_datagen.schema.arrays import batch, category
from retail_datagen.tables.names import order_ids
from retail_datagen.tables.tenders import online_tenders

_COLLECTED = "Store Pickup"
TABLE = Table(
    name="orders",
    namespace=NAMESPACE,
    doc=(
        "One row per order. Joins to retail.online_orders by order_id: gross_total is its "
        "Subtotal, total_discount_amount its Discount, shipping_cost its Shipping; tax is only "
        "there. An order of which nothing was in stock stays, with nothing in it."
    ),
    columns=(
        id_column("order_id", "The retailer's OrderId.", "ORD202001010000000001"),
        id_column("cart_id", "What it was before.", "CART0000000001", "shopping_carts.cart_id"),
        Column("order_date", Kind.TIMESTAMP, "When it was placed."),
        customer_column(),
        Column("email", Kind.TEXT, "Where its confirmation went."),
        Column("order_channel", Kind.CATEGORY, "Where it was placed."),
        Column("is_expedited", Kind.FLAG, "Whether it ships faster than usual."),
        Column(
            "customer_tier",
            Kind.CATEGORY,
            "The customer's tier that morning; empty for guests and those not enrolled.",
            null=True,
            words=TIERS,
        ),
        Column("total_items", Kind.INT, "Units, cancelled ones left out."),
        Column("gross_total", Kind.MONEY, "Sum of price times quantity of its items."),
        Column("total_discount_amount", Kind.MONEY, "Sum of its items' discounts."),
        Column("net_total", Kind.MONEY, "gross_total - total_discount_amount."),
        Column("payment_method", Kind.CATEGORY, "The retailer's TenderType."),
        Column("shipping_speed", Kind.CATEGORY, "How it travels, or that it is picked up."),
        Column(
            "shipping_cost", Kind.MONEY, "What the customer paid.", encoding=Encoding.DICTIONARY
        ),
        Column("actual_shipping_cost", Kind.MONEY, "What the carrier asked of the retailer."),
        Column("payment_processing_fee", Kind.MONEY, "What the payment's processor kept."),
        Column("agent_id", Kind.CATEGORY, "Who took the call, of orders by phone.", null=True),
        Column(
            "shipping_address", Kind.TEXT, "Where it went; empty where it was picked up.", null=True
        ),
        Column("billing_address", Kind.TEXT, "Where the bill went."),
        Column(
            "clv_bucket",
            Kind.CATEGORY,
            "What the customer had spent before, as a class.",
            words=VALUES,
        ),
        Column("is_reactivated", Kind.FLAG, "Whether the order before was long ago."),
    ),
    key=("order_id",),
)


def render(day: ShopDay) -> pa.Table:
    sale, standing = day.sale, day.plan.standing
    placed, orders = sale.placed, sale.placed.orders
    count, speeds = len(sale), [s.name for s in day.profile.online.speeds]
    collected = orders.mode == PICKUP
    speed = np.where(collected, len(speeds), orders.speed)
    home = day.people.addresses(
        orders.customer, day.customers.has_moved(orders.customer, day.number)
    )
    return batch(
        TABLE,
        {
            "order_id": order_ids(
                np.full(count, day.number), placed.first_order + np.arange(count)
            ),
            "cart_id": cart_ids(day.plan.first_cart + day.carts.of_order),
            "order_date": day.timestamps(orders.second),
            "customer_id": day.customer_id(orders.customer),
            "email": day.email(orders.customer),
            "order_channel": category(sale.channel, list(day.profile.webshop.channels)),
            "is_expedited": pa.array((orders.speed > 0) & ~collected),
            "customer_tier": category(
                np.minimum(standing.tier, len(TIERS) - 1), TIERS, standing.tier != NO_TIER
            ),
            "total_items": np.bincount(
                sale.items.order, weights=sale.items.quantity, minlength=count
            ),
            "gross_total": placed.subtotal,
            "total_discount_amount": placed.discount,
            "net_total": sale.net,
            "payment_method": category(sale.tender, list(online_tenders(day.profile))),
            "shipping_speed": category(speed, [*speeds, _COLLECTED]),
            "shipping_cost": placed.shipping,
            "actual_shipping_cost": sale.carrier_cost,
            "payment_processing_fee": sale.fee,
            "agent_id": agents(sale.agent),
            "shipping_address": _unless(collected, home),
            "billing_address": billing(day.context, orders.customer, home),
            "clv_bucket": category(standing.value, VALUES),
            "is_reactivated": pa.array(standing.reactivated),
        },
    )


def _unless(absent: np.ndarray[tuple[int], np.dtype[np.bool_]], values: pa.Array) -> pa.Array:
    """`values`, null where `absent`."""
    rows = np.arange(len(values), dtype=np.int64)
    return values.take(pa.array(rows, mask=absent))


SHOP = ShopTable(TABLE, render)
