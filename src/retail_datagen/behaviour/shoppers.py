"""Who shops online on a day: signed-up customers and guests, some often and some hardly ever."""

from __future__ import annotations

import numpy as np

from retail_datagen.config.errors import UserError
from retail_datagen.config.profile import Online
from retail_datagen.core.arrays import I32, I64, Bool
from retail_datagen.core.calendar import to_date
from retail_datagen.core.rng import Stream, integer_weights, lookup, mix
from retail_datagen.world.model import GUEST, Customers

_STEP = 1_000_000_241
"""A prime beyond any number of customers: walking by it meets each of them once."""
_CANDIDATES = 8
"""Looked at for each one that is wanted."""
_QUARTER = 90
_FRESH_DAYS = 45
"""Chosen: days after signing up in which a customer is never dormant."""
_FADING = ((_FRESH_DAYS, 256), (180, 150), (365, 115))
_LATER = 90
"""Chosen: how often customers order, in 256ths, until so many days after signing up, and later."""
_GUESTS = 26
"""Chosen: guests order a tenth as often as new customers."""


class Shoppers:
    """Picks the customers of a day, each at most once as long as there are enough of them."""

    def __init__(self, customers: Customers, online: Online) -> None:
        rows = np.argsort(customers.signup_day, kind="stable").astype(np.int32)
        guests = int(np.count_nonzero(customers.signup_day == GUEST))
        self._guests, self._signed_up = rows[:guests], rows[guests:]
        self._signup_day = customers.signup_day
        self._signup_days = customers.signup_day[self._signed_up]
        self._appetite = np.zeros(0, dtype=np.int64)
        if online.appetites:
            classes = lookup(integer_weights([a.share for a in online.appetites]), 16)
            orders = np.array([round(a.orders * 256) for a in online.appetites], dtype=np.int64)
            bits = mix(customers.customer_id, salt=23) & np.uint64(0xFFFF)
            self._appetite = orders[classes[bits.astype(np.int64)]]
            self._id = customers.customer_id.astype(np.int64)
        self._dormant = round(online.dormant_share * 65_536)

    @property
    def never(self) -> Bool:
        """Who never orders, per customer."""
        if not len(self._appetite):
            return np.zeros(len(self._signup_day), dtype=np.bool_)
        never: Bool = self._appetite == 0
        return never

    def pick(self, stream: Stream, day: int, count: int) -> I32:
        """`count` rows of customers who shop on `day`; nobody before signing up."""
        signed_up = int(np.searchsorted(self._signup_days, day, side="right"))
        pool = signed_up + len(self._guests)
        start = int(stream.u32(1)[0])
        if not pool:
            raise UserError(
                f"customers.csv: nobody has signed up by {to_date(day)} and there are no guests, "
                "so nobody can order online; begin the history later, set signups.first earlier or "
                "signups.guest_share above 0 and build the master data anew"
            )
        if not len(self._appetite):
            return self._rows((np.arange(count) * _STEP + start) % pool, signed_up)
        looked_at = min(pool, _CANDIDATES * count)
        rows = self._rows((np.arange(looked_at) * _STEP + start) % pool, signed_up)
        keen = stream.u16(looked_at) < self._odds(rows, day)
        # Those who would rather not come last: they fill what the keen ones leave.
        able = np.flatnonzero(~keen & (self._appetite[rows] > 0))
        chosen = np.concatenate([np.flatnonzero(keen), able])[:count]
        return rows[np.resize(chosen if len(chosen) else np.arange(looked_at), count)]

    def _rows(self, place: I64, signed_up: int) -> I32:
        """Customers by their place: those signed up, the earliest first, then guests."""
        rows: I32 = np.concatenate([self._signed_up[:signed_up], self._guests])[place]
        return rows

    def _odds(self, rows: I32, day: int) -> I64:
        """Odds of shopping today, in 65,536ths."""
        signup = self._signup_day[rows]
        guest = signup == GUEST
        age = np.where(guest, 0, day - signup.astype(np.int64))
        recency = np.full(len(rows), _LATER, dtype=np.int64)
        for until, weight in reversed(_FADING):
            recency[age < until] = weight
        recency[guest] = _GUESTS
        customer = self._id[rows]
        quarter = (day + mix(customer, salt=29).astype(np.int64) % _QUARTER) // _QUARTER
        asleep = mix(customer * 4096 + quarter, salt=31) & np.uint64(0xFFFF)
        dormant = (asleep < np.uint64(self._dormant)) & (age >= _FRESH_DAYS)
        return np.where(dormant, 0, self._appetite[rows] * recency)
