"""What the shop's tables render from: the retailer's context, the shop's plans, people's texts."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import pyarrow as pa

from retail_datagen.config.models import RetailConfig
from retail_datagen.core.calendar import DAY_SECONDS
from retail_datagen.core.ids import texts
from retail_datagen.core.rng import I64, Ints
from retail_datagen.ecom.carts import Carts, carts_of
from retail_datagen.ecom.customers import ShopCustomers
from retail_datagen.ecom.people import People
from retail_datagen.ecom.plan import ShopPlan
from retail_datagen.ecom.refunds import Refunds, refunds_of
from retail_datagen.ecom.sale import Sale, sale_of
from retail_datagen.plan.market import Market
from retail_datagen.tables.context import Context as RetailContext
from retail_datagen.tables.fulfilment import OrderDay
from retail_datagen.world.arrow import numpy_of

LoadPlan = Callable[[int], ShopPlan]


class ProductTexts:
    """Names of products: [products], in the world's order, and of categories."""

    def __init__(self, names: pa.Array, categories: tuple[str, ...]) -> None:
        distinct = names.dictionary_encode()
        self.names: pa.Array = distinct.dictionary
        self.code: I64 = numpy_of(distinct.indices).astype(np.int64)
        """The row of each product's name in `names`."""
        self.categories: pa.Array = texts(categories)


class ShopContext:
    """One shop's history, ready to render: any table of any planned day, in any order."""

    def __init__(
        self,
        market: Market,
        config: RetailConfig,
        people: People,
        product_names: pa.Array,
        load_plan: LoadPlan,
    ) -> None:
        self.market, self.world, self.profile = market, market.world, market.profile
        self.people = people
        self.customers = ShopCustomers(market.world.customers, market.profile, config)
        self.products = ProductTexts(product_names, market.world.categories)
        self.retail = RetailContext(market, lambda day: load_plan(day).retail)
        self._load_plan = load_plan
        self._today: ShopDay | None = None

    def day(self, day: int) -> ShopDay:
        """The view of a day that its tables share; the last one asked for is kept."""
        if self._today is None or self._today.number != day:
            self._today = None
            self._today = ShopDay(self, day, self._load_plan(day))
        return self._today


class ShopDay:
    """One day of the shop: its plan and what is drawn for it, when first asked for."""

    def __init__(self, context: ShopContext, number: int, plan: ShopPlan) -> None:
        self.context, self.number, self.plan = context, number, plan
        self.world, self.market, self.profile = context.world, context.market, context.profile
        self.customers, self.people = context.customers, context.people

    @cached_property
    def placed(self) -> OrderDay:
        """The retailer's online orders of the day."""
        return self.context.retail.order_day(self.number)

    @cached_property
    def sale(self) -> Sale:
        prices = self.market.tables(self.number).prices
        return sale_of(self.placed, self.world, self.profile, prices, self.market.seed)

    @cached_property
    def carts(self) -> Carts:
        return carts_of(self.market, self.placed)

    @cached_property
    def refunds(self) -> Refunds:
        """What the shop does about the day's returns."""
        world = self.world
        return refunds_of(
            self.plan.returned, world.products.category, world.categories, self.profile.webshop
        )

    def timestamps(self, seconds: Ints) -> I64:
        """Seconds of this day as seconds since 1970."""
        return seconds.astype(np.int64) + self.number * DAY_SECONDS

    def email(self, customer: Ints) -> pa.Array:
        return self.people.email.take(pa.array(customer))

    def customer_id(self, customer: Ints) -> Ints:
        return self.world.customers.customer_id[customer]

    def product_id(self, product: Ints) -> Ints:
        return self.world.products.product_id[product]

    def product_name(self, product: Ints) -> pa.Array:
        """A category column of the names of those products."""
        products = self.context.products
        return _coded(products.code[product], products.names)

    def category(self, product: Ints) -> pa.Array:
        """A category column of the categories of those products."""
        return _coded(self.world.products.category[product], self.context.products.categories)


def _coded(codes: Ints, names: pa.Array) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), names, safe=False)
