"""Changes of the customers' loyalty tiers in the web shop."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from retail_datagen.config.webshop import TIERS
from retail_datagen.core.arrays import I64
from retail_datagen.core.ids import texts
from retail_datagen.ecom.customers import NO_TIER
from retail_datagen.events.base import EventTopic
from retail_datagen.events.changes import (
    CREATE,
    READ,
    UPDATE,
    Changed,
    change_table,
    changes_of,
)
from retail_datagen.events.context import EventDay
from retail_datagen.schema import Column, Kind
from retail_datagen.schema.arrays import category
from retail_datagen.world.model import GUEST

TABLE = change_table(
    "cdc_customer_tiers",
    "customer_tiers",
    "One change per customer who signs up and per tier that is earned, at midnight; guests are "
    "there from the beginning.",
    (Column("customer_id", Kind.INT, "Who.", references="customers.CustomerID", example="5001"),),
    (
        Column(
            "loyalty_tier",
            Kind.CATEGORY,
            "Tier of the card; empty without one.",
            words=TIERS,
            example="Silver",
        ),
    ),
)


def render(day: EventDay) -> pa.Table:
    shop, risen = day.context.customers, day.plan.risen
    signup = shop.customers.signup_day
    first = day.retail.is_first
    known = (signup == GUEST) | (signup <= day.number) if first else signup == day.number
    new = np.flatnonzero(known)
    initial = shop.initial_tier[new]
    customer = np.concatenate([new, risen.customer])
    return changes_of(
        TABLE,
        day.number,
        Changed(
            np.zeros(len(customer), dtype=np.int64),
            np.repeat([READ if first else CREATE, UPDATE], [len(new), len(risen.customer)]),
            {"customer_id": shop.customers.customer_id[customer]},
            {"loyalty_tier": _tier(np.concatenate([initial, risen.before]))},
            {"loyalty_tier": _tier(np.concatenate([initial, risen.after]))},
        ),
    )


def _tier(tier: I64) -> pa.Array:
    return category(np.minimum(tier, NO_TIER - 1), texts(TIERS), tier != NO_TIER)


TOPIC = EventTopic(TABLE, render, "cdc", needs_tiers=True)
