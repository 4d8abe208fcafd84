"""Who buys what: the published object API's shopping behaviour, one basket at a time.

    simulator = CustomerJourneySimulator(customers, products, stores)
    basket = simulator.generate_shopping_basket(
        customer_id=123, behavior_type=ShoppingBehaviorType.FAMILY_SHOPPING
    )

Baskets are drawn by the same tables as those of the receipts; only their stock is not looked at.
`BusinessRulesEngine` is here as well, where the published API has it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import cached_property

import numpy as np

from retail_datagen.behaviour.assortment import Assortment, Shelves
from retail_datagen.behaviour.baskets import Baskets
from retail_datagen.behaviour.journeys import Visits
from retail_datagen.behaviour.missions import Habits
from retail_datagen.behaviour.pricing import PriceList, Pricing
from retail_datagen.config.errors import UserError
from retail_datagen.config.models import RetailConfig
from retail_datagen.config.parts import BEHAVIOURS, SEGMENTS
from retail_datagen.config.profile import Profile
from retail_datagen.core.arrays import U8, U64
from retail_datagen.core.calendar import to_day
from retail_datagen.core.rng import Stream
from retail_datagen.generators.business_rules import (
    BusinessRulesEngine,
    ValidationResult,
    ValidationSummary,
)
from retail_datagen.generators.columns import Rows
from retail_datagen.generators.given_world import given_world

__all__ = [
    "BasketItem",
    "BusinessRulesEngine",
    "CustomerJourneySimulator",
    "CustomerSegment",
    "ShoppingBasket",
    "ShoppingBehaviorType",
    "ValidationResult",
    "ValidationSummary",
]
_ORDINARY_DAY = date(2024, 1, 17)
_CANDIDATES = 4096
"""Shoppers drawn until one behaves as asked; a behaviour has one in 256 of them at least."""


class ShoppingBehaviorType(Enum):
    """How somebody shops; the values are the profile's names."""

    QUICK_TRIP = "quick_trip"
    GROCERY_RUN = "grocery_run"
    FAMILY_SHOPPING = "family_shopping"
    BULK_PURCHASE = "bulk_purchase"


class CustomerSegment(Enum):
    """Who shops; the values are the profile's names."""

    BUDGET_CONSCIOUS = "budget_conscious"
    CONVENIENCE_FOCUSED = "convenience_focused"
    QUALITY_SEEKER = "quality_seeker"
    BRAND_LOYAL = "brand_loyal"


@dataclass(frozen=True, slots=True)
class BasketItem:
    """One line of a basket."""

    product_id: int
    category: str
    qty: int
    unit_price: Decimal

    @property
    def ext_price(self) -> Decimal:
        return self.unit_price * self.qty


@dataclass(frozen=True, slots=True)
class ShoppingBasket:
    """What a customer means to buy on one visit.

    `store_id` is the customer's nearest store among those that the simulator knows, if any.
    """

    customer_id: int
    store_id: int | None
    segment: CustomerSegment
    behavior_type: ShoppingBehaviorType
    mission: str
    items: tuple[BasketItem, ...]

    @property
    def estimated_total(self) -> Decimal:
        """The sum of the items, before tax."""
        return sum((item.ext_price for item in self.items), Decimal("0.00"))


class CustomerJourneySimulator:
    """Fills baskets for the customers, with the products and at the prices of one day.

    `customers`, `products` and `stores` are rows as master data has them: Arrow tables, data
    frames, records or dicts. `profile` is the one that they were made with. A customer's n-th
    basket follows from the seed, the customer and n alone.
    """

    def __init__(
        self,
        customers: Rows,
        products: Rows,
        stores: Rows,
        seed: int = 42,
        profile: Profile | None = None,
        day: date = _ORDINARY_DAY,
        items_per_ticket_mean: float = 4.2,
    ) -> None:
        """Raises UserError for missing columns, and for categories that the profile lacks."""
        self.seed = seed
        self.profile = profile or RetailConfig().load_profile()
        self._day = to_day(day)
        self._world = given_world(customers, products, stores, self.profile, seed, day)
        self._habits = Habits(self._world, self.profile, items_per_ticket_mean)
        self._calls: Counter[int] = Counter()

    def generate_shopping_basket(
        self, customer_id: int, behavior_type: ShoppingBehaviorType | None = None
    ) -> ShoppingBasket:
        """The customer's next basket, of a behaviour or else of the customer's own choice.

        Raises UserError for an unknown customer.
        """
        row = self._customer(customer_id)
        call = self._calls[customer_id]
        segment = int(self._world.customers.segment[row])
        candidates = _CANDIDATES if behavior_type else 1
        bits = Stream(self.seed, f"journeys.{customer_id}", call).u64(candidates + 1)
        visit = self._visit(row, segment, bits[:-1], behavior_type)
        baskets = Baskets(self._world, self.profile, self._habits, int(bits[-1]))
        lines = baskets.draw(self._day, visit, self._shelves, self._prices)
        self._calls[customer_id] = call + 1
        products = self._world.products
        items = tuple(
            BasketItem(
                product_id=int(products.product_id[product]),
                category=self._world.categories[products.category[product]],
                qty=int(quantity),
                unit_price=Decimal(int(self._prices.price[product])).scaleb(-2),
            )
            for product, quantity in zip(lines.product, lines.quantity, strict=True)
        )
        return ShoppingBasket(
            customer_id,
            self._store(row),
            CustomerSegment(SEGMENTS[segment]),
            ShoppingBehaviorType(BEHAVIOURS[visit.behaviour[0]]),
            list(self.profile.missions)[visit.mission[0]],
            items,
        )

    def _customer(self, customer_id: int) -> int:
        known = self._world.customers.customer_id
        row = int(np.searchsorted(known, customer_id))
        if row == len(known) or known[row] != customer_id:
            raise UserError(
                f"customer_id: {customer_id} is not known; the {len(known)} customers that were "
                f"given lie from {known[0]} to {known[-1]}"
            )
        return row

    def _store(self, row: int) -> int | None:
        near = self._world.customers.stores[row]
        given = near[near >= 0]
        return int(self._world.stores.store_id[given[0]]) if len(given) else None

    def _visit(
        self, row: int, segment: int, bits: U64, behavior_type: ShoppingBehaviorType | None
    ) -> Visits:
        """The first shopper of the customer's segment who behaves so, else one of another."""
        for of_segment in sorted(range(len(SEGMENTS)), key=lambda s: s != segment):
            segments: U8 = np.full(len(bits), of_segment, dtype=np.uint8)
            behaviour, mission, lines, seconds = self._habits.decide(self._day, segments, bits)
            wanted = behaviour >= 0
            if behavior_type is not None:
                wanted = behaviour == BEHAVIOURS.index(behavior_type.value)
            if wanted.any():
                one = slice(int(np.argmax(wanted)), int(np.argmax(wanted)) + 1)
                here = np.zeros(1, dtype=np.int32)
                return Visits(
                    store=here,
                    second=seconds[one],
                    entered=here,
                    customer=np.array([row], dtype=np.int32),
                    segment=np.array([segment], dtype=np.uint8),
                    behaviour=behaviour[one],
                    mission=mission[one],
                    lines=lines[one],
                    promotion=np.full(1, -1, dtype=np.int16),
                )
        asked = behavior_type.value if behavior_type else "anything"
        raise UserError(f"behavior_type: no segment of the profile ever shops as {asked}")

    @cached_property
    def _prices(self) -> PriceList:
        return Pricing(self._world, self.profile, self._day).on(self._day)

    @cached_property
    def _shelves(self) -> Shelves:
        assortment = Assortment(self._world, self.profile, self._habits.mission_share)
        return assortment.shelves(self._day, self._prices)
