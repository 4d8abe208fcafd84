"""What the web shop's own tables are drawn by: carts, channels, tiers, returns, costs.

Where a number has no source, it was chosen: usual orders of magnitude, large enough to be seen in
a month of data.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from retail_datagen.config.parts import Amounts, Part, Share, Weight, Weights
from retail_datagen.config.problems import Impossible, impossible

TIERS = ("Bronze", "Silver", "Gold", "Platinum")
VALUES = ("Low", "Medium", "High")


class Speed(Part):
    """A way to ship. `surcharge` is dollars on top of shipping, `days` the most days under way.

    `cost` is what the carrier asks of the retailer, in dollars.
    """

    name: str
    weight: Weight = 1.0
    surcharge: Annotated[float, Field(ge=0)] = 0.0
    days: Annotated[int, Field(ge=1, le=4)] = 4
    cost: Annotated[float, Field(ge=0)] = 4.5


class Appetite(Part):
    """Customers who order alike: their share, and how often relative to the others (0: never)."""

    share: Share
    orders: Annotated[float, Field(ge=0, le=1)]


class Funnel(Part):
    """What becomes of carts."""

    conversion: Annotated[float, Field(gt=0, le=1)] = 0.3
    """Share of carts that become orders: about 70 % are left behind (Baymard Institute)."""
    emptied: Share = 0.15
    """Of those left behind, the share that the customer empties."""
    open: Share = 0.1
    """Of those left behind, the share that is still open when the day ends."""


class Earned(Part):
    """Dollars that a customer must have spent, in all, for a tier or a value class."""

    silver: Annotated[float, Field(ge=0)] = 250.0
    gold: Annotated[float, Field(ge=0)] = 750.0
    platinum: Annotated[float, Field(ge=0)] = 2000.0
    medium: Annotated[float, Field(ge=0)] = 250.0
    high: Annotated[float, Field(ge=0)] = 750.0

    @model_validator(mode="after")
    def _rise(self) -> Earned:
        for low, high in (("silver", "gold"), ("gold", "platinum"), ("medium", "high")):
            least, value = getattr(self, low), getattr(self, high)
            if value < least:
                raise impossible(Impossible((high,), value, f"at least that of {low}, {least:g}"))
        return self


class ShopReturns(Part):
    """What comes back of online orders."""

    share: Share = 0.2
    """Share of orders of which something comes back; published: 19.3 % of online sales (NRF 2025).

    `returns` of a category weighs which lines do.
    """
    max_days: Annotated[int, Field(ge=10, le=60)] = 60
    """Days after the order until which it may come back."""
    within_30_days: Share = 0.8
    exchange_share: Share = 0.12
    credit_share: Share = 0.15
    """Share of returns refunded as store credit."""


class WebShop(Part):
    """How the web shop works. Weights are relative within their list."""

    funnel: Funnel = Funnel()
    earned: Earned = Earned()
    returns: ShopReturns = ShopReturns()
    channels: Weights = {
        "Web": 50,
        "Mobile App": 30,
        "Phone": 8,
        "Social Media": 7,
        "Marketplace": 5,
    }
    """Where orders are placed. Those of `Phone` have an agent."""
    signup_channels: Weights = {"Website": 55, "Email": 20, "Social Media": 15, "Phone": 10}
    enrolled: Share = 0.85
    """Share of signed-up customers in the loyalty programme; they begin as Bronze."""
    welcome_silver: Share = 0.1
    """Share of those enrolled who begin as Silver, an offer to new customers."""
    reactivated_after_days: Annotated[int, Field(ge=1, le=3650)] = 180
    """Days without an order after which the next one counts as a reactivation."""
    agents: Annotated[int, Field(ge=1, le=9999)] = 20
    fees: Amounts = {
        "CREDIT_CARD": 0.025,
        "DEBIT_CARD": 0.012,
        "MOBILE_PAY": 0.02,
        "PAYPAL": 0.03,
    }
    """What a payment processor keeps of an amount, by tender; 0 for others."""
