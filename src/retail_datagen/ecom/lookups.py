"""Customers and the product catalogue, written once: as the shop knows them when it opens.

They do not change while the history grows; `history` has what became of them.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from retail_datagen.config.webshop import TIERS, VALUES
from retail_datagen.core.rng import Ints
from retail_datagen.ecom.base import NAMESPACE
from retail_datagen.ecom.context import ShopContext
from retail_datagen.ecom.customers import GENDERS, NO_TIER
from retail_datagen.ecom.sale import cost_on
from retail_datagen.plan.forecast import Forecast
from retail_datagen.plan.initial import opening_stock
from retail_datagen.schema import Column, Encoding, Kind, Table
from retail_datagen.schema.arrays import batch, category, plain

STATUSES = ("Active", "Inactive")
CUSTOMERS = Table(
    name="customers",
    namespace=NAMESPACE,
    doc=(
        "One row per customer, those who sign up later included; partitioned by signup_date. "
        "Tier and address are those of the day they signed up, or of the history's first day if "
        "that is later; customers_history has what changed since."
    ),
    columns=(
        Column("customer_id", Kind.INT, "The retailer's CustomerID.", encoding=Encoding.DELTA),
        Column("first_name", Kind.TEXT, "First name."),
        Column("last_name", Kind.TEXT, "Last name."),
        Column("email", Kind.TEXT, "At example.com, .org or .net."),
        Column("phone_number", Kind.TEXT, "555-01xx."),
        Column("signup_date", Kind.DATE, "Nothing happens before it; empty for guests.", null=True),
        Column("gender", Kind.CATEGORY, "As the customer told.", words=GENDERS),
        Column("age", Kind.INT, "Years."),
        Column("is_guest", Kind.FLAG, "Whether the customer orders without signing up."),
        Column("customer_status", Kind.CATEGORY, "Inactive customers never order.", words=STATUSES),
        Column("signup_channel", Kind.CATEGORY, "How they came; empty for guests.", null=True),
        Column(
            "loyalty_tier",
            Kind.CATEGORY,
            "Tier when the shop opened; empty without a card.",
            null=True,
            words=TIERS,
        ),
        Column(
            "initial_loyalty_tier", Kind.CATEGORY, "Tier on signing up.", null=True, words=TIERS
        ),
        Column("email_verified", Kind.FLAG, "Whether the e-mail was confirmed."),
        Column("marketing_opt_in", Kind.FLAG, "Whether they may be written to."),
        Column("mailing_address", Kind.TEXT, "Where parcels go."),
        Column("billing_address", Kind.TEXT, "Where bills go."),
        Column("loyalty_enrollment_date", Kind.DATE, "When they joined the programme.", null=True),
        Column("clv_bucket", Kind.CATEGORY, "What the shop expects them to spend.", words=VALUES),
    ),
    key=("customer_id",),
)
PRODUCT_CATALOG = Table(
    name="product_catalog",
    namespace=NAMESPACE,
    doc=(
        "One row per product, those launched later included; partitioned by category. Prices are "
        "those of the history's first day; product_history has what changed since."
    ),
    columns=(
        Column("product_id", Kind.INT, "The retailer's ProductID.", encoding=Encoding.DELTA),
        Column("product_name", Kind.CATEGORY, "Name."),
        Column("category", Kind.CATEGORY, "Category."),
        Column("unit_price", Kind.MONEY, "Price of a unit.", encoding=Encoding.DELTA),
        Column("cost_price", Kind.MONEY, "What a unit costs the retailer."),
        Column(
            "inventory_quantity", Kind.INT, "Units in all DCs and stores when the history begins."
        ),
    ),
    key=("product_id",),
)


def customers(context: ShopContext) -> pa.Table:
    """All customers, by identifier."""
    who, people = context.customers, context.people
    world, count = context.world.customers, len(context.world.customers.customer_id)
    everyone = np.arange(count, dtype=np.int32)
    signed_up = ~who.guest
    since = np.maximum(world.signup_day, context.market.history_start)
    home = people.addresses(everyone, who.has_moved(everyone, since))
    tier = category(np.minimum(who.initial_tier, NO_TIER - 1), TIERS, who.initial_tier != NO_TIER)
    return batch(
        CUSTOMERS,
        {
            "customer_id": world.customer_id,
            "first_name": people.first_name,
            "last_name": people.last_name,
            "email": people.email,
            "phone_number": people.phone,
            "signup_date": plain(Kind.DATE, np.where(signed_up, world.signup_day, 0), signed_up),
            "gender": category(who.gender, GENDERS),
            "age": who.age,
            "is_guest": pa.array(who.guest),
            "customer_status": category(context.market.online.shoppers.never, STATUSES),
            "signup_channel": category(
                who.signup_channel, list(context.profile.webshop.signup_channels), signed_up
            ),
            "loyalty_tier": tier,
            "initial_loyalty_tier": tier,
            "email_verified": pa.array(who.email_verified),
            "marketing_opt_in": pa.array(who.marketing_opt_in),
            "mailing_address": home,
            "billing_address": billing(context, everyone, home),
            "loyalty_enrollment_date": plain(
                Kind.DATE, who.enrolment_day, who.initial_tier != NO_TIER
            ),
            "clv_bucket": category(who.expected_value, VALUES),
        },
    )


def product_catalog(context: ShopContext) -> pa.Table:
    """All products, by identifier."""
    market, products = context.market, context.world.products
    prices = market.tables(market.history_start).prices
    stock = opening_stock(market, Forecast(market))
    held = sum(
        units.reshape(-1, len(products.product_id)).sum(axis=0, dtype=np.int64)
        for units in (stock.stores, stock.dcs)
    )
    order = np.argsort(products.product_id, kind="stable")
    texts = context.products
    return batch(
        PRODUCT_CATALOG,
        {
            "product_id": products.product_id[order],
            "product_name": category(texts.code[order], texts.names),
            "category": category(products.category[order], texts.categories),
            "unit_price": prices.price[order],
            "cost_price": cost_on(context.world, prices)[order],
            "inventory_quantity": np.asarray(held)[order],
        },
    )


def billing(context: ShopContext, customer: Ints, home: pa.Array) -> pa.Array:
    """Where the bills of those customers go: mostly home, else to an address that stays."""
    elsewhere = context.customers.bills_elsewhere[customer]
    other = context.people.addresses(customer, np.ones(len(customer), dtype=np.bool_))
    both = pa.chunked_array([home, other])
    place = np.arange(len(customer)) + elsewhere * len(customer)
    return both.take(pa.array(place)).combine_chunks()
