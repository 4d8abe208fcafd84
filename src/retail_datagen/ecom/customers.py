"""Who the shop's customers are: what follows from the customer alone, and from the calendar.

Everything is a fixed function of the identifier, so that any table may ask again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from retail_datagen.config.models import RetailConfig
from retail_datagen.config.profile import Profile
from retail_datagen.config.webshop import TIERS
from retail_datagen.core.calendar import to_day
from retail_datagen.core.rng import I64, integer_weights, lookup, mix
from retail_datagen.world.model import GUEST, Customers

U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]
NO_TIER = len(TIERS)
GENDERS = ("Female", "Male", "Unknown")
_GENDERS = (0.49, 0.46, 0.05)
_YOUNGEST, _OLDEST = 18, 80
_SAME_BILLING = 0.85
"""Chosen: share of customers whose bills go where the parcels go."""
_VERIFIED, _OPTED_IN = 0.92, 0.55
"""Chosen: shares of signed-up customers with a verified e-mail, and who agreed to marketing."""
_ENROLMENT_DAYS = 30


@dataclass(frozen=True)
class ShopCustomers:
    """The customers of the world as the shop sees them: [customers], in the world's order."""

    customers: Customers
    profile: Profile
    config: RetailConfig

    @cached_property
    def guest(self) -> Bool:
        guest: Bool = self.customers.signup_day == GUEST
        return guest

    @cached_property
    def gender(self) -> U8:
        """Rows of GENDERS."""
        return lookup(integer_weights(_GENDERS))[self._bits(41)].astype(np.uint8)

    @cached_property
    def age(self) -> I64:
        """Years at the beginning of the calendar's first year of history."""
        spread = _OLDEST - _YOUNGEST + 1
        # The sum of two is a tent: most are in the middle of life.
        both = self._bits(42) % (spread // 2 + 1) + self._bits(43) % (spread // 2 + 1)
        age: I64 = _YOUNGEST + np.minimum(both, spread - 1)
        return age

    @cached_property
    def signup_channel(self) -> U8:
        """Rows of the profile's signup channels."""
        weights = integer_weights(list(self.profile.webshop.signup_channels.values()))
        return lookup(weights)[self._bits(44)].astype(np.uint8)

    @cached_property
    def initial_tier(self) -> U8:
        """The tier on signing up: a row of TIERS, or NO_TIER for those not enrolled."""
        shop = self.profile.webshop
        enrolled = self._chance(45, shop.enrolled) & ~self.guest
        silver = self._chance(46, shop.welcome_silver)
        return np.where(enrolled, silver.astype(np.uint8), NO_TIER).astype(np.uint8)

    @cached_property
    def enrolment_day(self) -> I64:
        """Days since 1970 on which those with a tier joined the programme."""
        return self.customers.signup_day + self._bits(47) % _ENROLMENT_DAYS

    @cached_property
    def email_verified(self) -> Bool:
        return self._chance(48, _VERIFIED) & ~self.guest

    @cached_property
    def marketing_opt_in(self) -> Bool:
        return self._chance(49, _OPTED_IN) & ~self.guest

    @cached_property
    def expected_value(self) -> U8:
        """The value class that the shop expects on signing up: rows of VALUES."""
        guess = lookup(integer_weights((0.55, 0.32, 0.13)))[self._bits(50)].astype(np.uint8)
        return np.where(self.guest, 0, guess).astype(np.uint8)

    @cached_property
    def bills_elsewhere(self) -> Bool:
        return ~self._chance(51, _SAME_BILLING)

    @cached_property
    def move_day(self) -> I64:
        """The day on which each customer moves house: once within the calendar."""
        first, last = to_day(self.config.calendar.first), to_day(self.config.calendar.last)
        days = np.uint64(last - first + 1)
        return first + (self._mix(52) % days).astype(np.int64)

    def has_moved(self, rows: NDArray[np.int32], day: int | I64) -> Bool:
        """Whether those customers live at their second address on a day."""
        moved: Bool = self.move_day[rows] <= day
        return moved

    def _mix(self, salt: int) -> NDArray[np.uint64]:
        return mix(self.customers.customer_id, salt=self.config.seed * 1000 + salt)

    def _bits(self, salt: int) -> I64:
        return (self._mix(salt) >> np.uint64(48)).astype(np.int64)

    def _chance(self, salt: int, share: float) -> Bool:
        return self._bits(salt) < round(share * 65_536)
