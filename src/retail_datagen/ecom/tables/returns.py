"""Returns: what customers sent back, and what they got for it."""

from __future__ import annotations

import pyarrow as pa

from retail_datagen.ecom.base import (
    NAMESPACE,
    ShopTable,
    agents,
    customer_column,
    id_column,
    return_ids,
    running,
)
from retail_datagen.ecom.context import ShopDay
from retail_datagen.ecom.refunds import METHODS, REASONS, TYPES
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema.arrays import batch, category
from retail_datagen.tables.names import order_ids

TABLE = Table(
    name="returns",
    namespace=NAMESPACE,
    doc=(
        "One row per return, on the day it was sent back: 60 days after the order at the latest. "
        "Goods are sold off elsewhere and do not go back into the retailer's stock."
    ),
    columns=(
        id_column("return_id", "The return, numbered without a gap.", "RET0000000001"),
        id_column("order_id", "What was ordered.", "ORD202001010000000001", "orders.order_id"),
        customer_column(),
        Column("email", Kind.TEXT, "Where its confirmation went."),
        Column("return_date", Kind.TIMESTAMP, "When it was sent back."),
        Column("reason", Kind.CATEGORY, "Why.", words=REASONS),
        Column("return_type", Kind.CATEGORY, "What the customer wanted.", words=TYPES),
        Column("refunded_amount", Kind.MONEY, "Sum of its items'; 0 for an exchange."),
        Column("return_channel", Kind.CATEGORY, "Where it was asked for."),
        Column("agent_id", Kind.CATEGORY, "Who took the call, of returns by phone.", null=True),
        Column("refund_method", Kind.CATEGORY, "How it was paid back.", words=METHODS),
    ),
    key=("return_id",),
)


def render(day: ShopDay) -> pa.Table:
    returned, refunds = day.plan.returned, day.refunds
    return batch(
        TABLE,
        {
            "return_id": return_ids(running(day.plan.first_return, len(returned))),
            "order_id": order_ids(returned.order_day, returned.order),
            "customer_id": day.customer_id(returned.customer),
            "email": day.email(returned.customer),
            "return_date": day.timestamps(returned.second),
            "reason": category(refunds.reason, REASONS),
            "return_type": category(refunds.kind, TYPES),
            "refunded_amount": refunds.amount,
            "return_channel": category(refunds.channel, list(day.profile.webshop.channels)),
            "agent_id": agents(refunds.agent),
            "refund_method": category(refunds.kind, METHODS),
        },
    )


SHOP = ShopTable(TABLE, render)
