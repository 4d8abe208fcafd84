"""Why something came back and what became of it: the day's returns, as customers ask for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retail_datagen.config.webshop import WebShop
from retail_datagen.core.groups import starts
from retail_datagen.core.rng import I64, integer_weights, lookup
from retail_datagen.ecom.plan import Returned
from retail_datagen.ecom.sale import NO_AGENT, PHONE

U8 = NDArray[np.uint8]
REASONS = (
    "Changed mind",
    "Wrong item",
    "Defective",
    "Arrived damaged",
    "Does not fit",
    "Not as described",
    "Arrived late",
)
TYPES = ("Refund", "Exchange", "Store Credit")
METHODS = ("Original Payment Method", "Replacement", "Store Credit")
"""What each of TYPES is paid back by."""
REFUND, EXCHANGE, CREDIT = range(3)
_USUAL = (26, 12, 18, 12, 4, 20, 8)
_OF_CATEGORY = {
    "Clothing": (22, 8, 5, 4, 42, 14, 5),
    "Electronics": (16, 8, 42, 12, 1, 16, 5),
    "Books": (24, 22, 4, 22, 1, 14, 13),
    "Home": (22, 10, 14, 24, 10, 14, 6),
    "Toys": (30, 10, 22, 12, 2, 12, 12),
}
"""Weights of REASONS. Chosen: clothes do not fit, electronics fail, parcels hurt books and pans."""
_SAME_CHANNEL = 0.8
"""Chosen: share of returns asked for where the order was placed."""


@dataclass(frozen=True, slots=True)
class Refunds:
    """What the shop does about the day's returns: [returns]; `refunded` also per item, in cents.

    An exchange is paid back by another piece, so that its amounts are 0.
    """

    reason: U8
    kind: U8
    channel: U8
    agent: NDArray[np.int32]
    amount: I64
    of_items: I64


def refunds_of(
    returned: Returned, product_category: NDArray[np.int16], names: tuple[str, ...], shop: WebShop
) -> Refunds:
    """`product_category` and `names` are the world's: a return's first item decides its reason."""
    bits = np.ascontiguousarray(returned.bits).view(np.uint8).reshape(-1, 4)
    count = len(returned)
    lead = starts(returned.of_item(), count)
    of_lead = product_category[returned.product[np.minimum(lead, len(returned.product) - 1)]]
    tables = np.stack(
        [lookup(integer_weights(_OF_CATEGORY.get(name, _USUAL)), 8) for name in names]
    )
    reason = tables[of_lead, bits[:, 0]].astype(np.uint8)
    rest = 1 - shop.returns.exchange_share - shop.returns.credit_share
    kinds = integer_weights([max(rest, 0), shop.returns.exchange_share, shop.returns.credit_share])
    kind = lookup(kinds, 8)[bits[:, 1]].astype(np.uint8)
    anywhere = lookup(integer_weights(list(shop.channels.values())), 8)[bits[:, 2]]
    same = bits[:, 3] < round(_SAME_CHANNEL * 256)
    channel = np.where(same, returned.channel, anywhere).astype(np.uint8)
    channels = list(shop.channels)
    by_phone = channel == (channels.index(PHONE) if PHONE in channels else len(channels))
    agent = 1 + bits[:, 3].astype(np.int32) * 7 % shop.agents
    paid_back = np.where(kind[returned.of_item()] == EXCHANGE, 0, returned.paid).astype(np.int64)
    amount = np.bincount(returned.of_item(), weights=paid_back, minlength=count).astype(np.int64)
    return Refunds(
        reason,
        kind,
        channel,
        np.where(by_phone, agent, NO_AGENT).astype(np.int32),
        amount,
        paid_back,
    )
