"""Plans the shop's days on top of the retailer's: who ordered, what comes back, which numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from retail_datagen.config.webshop import TIERS
from retail_datagen.core.order import stable_order
from retail_datagen.core.pack import pack, unpack
from retail_datagen.core.rng import I64
from retail_datagen.ecom.carts import cart_sizes
from retail_datagen.ecom.customers import NO_TIER, ShopCustomers
from retail_datagen.ecom.plan import Returned, ShopPlan, Standing
from retail_datagen.ecom.sale import Sale, sale_of
from retail_datagen.ecom.send_back import will_return
from retail_datagen.ecom.state import NEVER, ShopState, TierChanges, opening_state
from retail_datagen.plan.market import Market
from retail_datagen.plan.planner import Planner
from retail_datagen.tables.fulfilment import order_day

U8 = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Ladder:
    """Cents spent from which a tier (after the first) or a value class is reached."""

    tiers: I64
    values: I64

    def tier(self, spent: I64, initial: U8) -> U8:
        """The tier of customers who spent that much; who is not enrolled earns none."""
        earned = np.searchsorted(self.tiers, spent, side="right").astype(np.uint8)
        return np.where(initial == NO_TIER, NO_TIER, np.maximum(earned, initial)).astype(np.uint8)

    def value(self, spent: I64) -> U8:
        return np.searchsorted(self.values, spent, side="right").astype(np.uint8)


class ShopPlanner:
    """Plans one day after the other: an engine `Planner`."""

    def __init__(
        self,
        market: Market,
        customers: ShopCustomers,
        retail: Planner | None = None,
        state: ShopState | None = None,
    ) -> None:
        self._market = market
        self._retail = retail or Planner(market)
        self.initial = customers.initial_tier
        """The tiers that customers sign up with: [customers]."""
        self.state = state or opening_state(customers.initial_tier)
        earned = market.profile.webshop.earned
        self._ladder = _Ladder(
            _cents(earned.silver, earned.gold, earned.platinum), _cents(earned.medium, earned.high)
        )
        assert len(self._ladder.tiers) == len(TIERS) - 1

    @classmethod
    def restore(cls, market: Market, customers: ShopCustomers, saved: bytes) -> Self:
        """The planner that `save` left. Raises ValueError when the bytes are damaged."""
        retail, state = split_state(saved)
        return cls(market, customers, Planner.restore(market, retail), state)

    def save(self) -> bytes:
        parts = {"retail": self._retail.save(), "shop": self.state.to_bytes()}
        return pack({name: np.frombuffer(data, np.uint8) for name, data in parts.items()})

    @property
    def next_day(self) -> int:
        return self._retail.next_day

    def step(self) -> ShopPlan:
        """Plans the next day and moves the state to its evening."""
        market, state = self._market, self.state
        retail = self._retail.step()
        placed = order_day(market, retail)
        sale = sale_of(
            placed, market.world, market.profile, market.tables(retail.day).prices, market.seed
        )
        sizes = cart_sizes(market, retail.day, len(sale), len(placed.lines))
        returned, due, awaited = self._returns(sale)
        plan = ShopPlan(
            day=retail.day,
            retail=retail,
            carts=sizes.carts,
            first_cart=state.next_cart,
            first_cart_item=state.next_cart_item,
            first_order_item=state.next_order_item,
            first_return=state.next_return,
            first_return_item=state.next_return_item,
            standing=self._standing(sale),
            returned=returned,
        )
        spent, last_order, tier, changes = self._evening(sale)
        self.state = ShopState(
            next_cart=state.next_cart + sizes.carts,
            next_cart_item=state.next_cart_item + sizes.items,
            next_order_item=state.next_order_item + len(sale.items.order),
            next_return=state.next_return + len(returned),
            next_return_item=state.next_return_item + len(returned.product),
            spent=spent,
            last_order=last_order,
            tier=tier,
            changes=changes,
            due=due,
            awaited=awaited,
        )
        return plan

    def _standing(self, sale: Sale) -> Standing:
        """As it was in the morning."""
        state, customer = self.state, sale.placed.orders.customer
        last = state.last_order[customer].astype(np.int64)
        away = self._market.profile.webshop.reactivated_after_days
        return Standing(
            tier=state.tier[customer],
            value=self._ladder.value(state.spent[customer]),
            reactivated=(last != NEVER) & (sale.placed.day - last >= away),
        )

    def _evening(self, sale: Sale) -> tuple[I64, NDArray[np.int32], U8, TierChanges]:
        """What customers have spent and when they ordered last, and the tiers that it earned."""
        state, customer = self.state, sale.placed.orders.customer
        spent, last_order, tier = state.spent.copy(), state.last_order.copy(), state.tier.copy()
        np.add.at(spent, customer, sale.net)
        last_order[customer] = sale.placed.day
        who = np.unique(customer)
        now = self._ladder.tier(spent[who], self.initial[who])
        risen = who[now != tier[who]]
        tier[who] = now
        known = state.changes
        return (
            spent,
            last_order,
            tier,
            TierChanges(
                np.concatenate([known.customer, risen.astype(np.int32)]),
                np.concatenate(
                    [known.day, np.full(len(risen), sale.placed.day + 1, dtype=np.int32)]
                ),
                np.concatenate([known.tier, tier[risen]]),
            ),
        )

    def _returns(self, sale: Sale) -> tuple[Returned, NDArray[np.int32], Returned]:
        """(today's returns by time, the days on which others are due, those others)."""
        state, market, day = self.state, self._market, sale.placed.day
        today = np.flatnonzero(state.due == day)
        later = np.flatnonzero(state.due != day)
        now = state.awaited.take(today[stable_order(state.awaited.second[today])])
        new = will_return(sale, market.world, market.profile, market.seed)
        return (
            now,
            np.concatenate([state.due[later], new.day]),
            state.awaited.take(later).and_then(new.returned),
        )


def split_state(saved: bytes) -> tuple[bytes, ShopState]:
    """The retailer's state and the shop's. Raises ValueError when the bytes are damaged."""
    parts = unpack(saved)
    retail, shop = (np.asarray(parts[name]).tobytes() for name in ("retail", "shop"))
    return retail, ShopState.from_bytes(shop)


def _cents(*dollars: float) -> I64:
    return np.array([round(amount * 100) for amount in dollars], dtype=np.int64)
