"""What kind of retailer: departments, shoppers, calendar and supply, read from a YAML file.

A profile is data. It says what a supercenter or a grocer is; `RetailConfig` says how large this
one is. Nothing here knows about files of facts, days or random draws.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from retail_datagen.config.parts import (
    BEHAVIOURS,
    SEGMENTS,
    Amounts,
    DayFactor,
    EventShare,
    InOrder,
    Mode,
    Name,
    Part,
    Share,
    SomeAboveZero,
    Weight,
    Weights,
    some_above_zero,
)
from retail_datagen.config.problems import Impossible, Location, impossible
from retail_datagen.config.webshop import Appetite, Speed, WebShop

Months = Annotated[tuple[Weight, ...], Field(min_length=12, max_length=12), SomeAboveZero]
Weekdays = Annotated[tuple[Weight, ...], Field(min_length=7, max_length=7), SomeAboveZero]
HalfHours = Annotated[tuple[Weight, ...], Field(min_length=48, max_length=48), SomeAboveZero]


class Template(Part):
    """A kind of product; its variants are the cross product of `variants`' values.

    `price` and `cost_ratio` are ranges: cost = price x ratio. `demand` weighs popularity
    (high 3, medium 2, low 1) and the number of tagged items per variant. `pack` is the case
    pack in units. `name_format` may name `{template}`, `{brand}` and the variant dimensions.
    """

    name: str
    sku_prefix: Annotated[str, Field(pattern=r"^[A-Z]{2,4}$")]
    price: tuple[float, float]
    cost_ratio: tuple[float, float] = (0.55, 0.75)
    """Chosen: a gross margin of 25 to 45 %, wide enough that products differ."""
    brands: tuple[str, ...] = ()
    variants: dict[str, tuple[str, ...]] = {}
    demand: Literal["high", "medium", "low"] = "medium"
    pack: Annotated[int, Field(ge=1, le=144)] = 6
    subcategory: str = ""
    name_format: str = ""

    @model_validator(mode="after")
    def _price_is_a_range(self) -> Template:
        low, high = self.price
        if not 0 < low <= high:
            raise _wrong("price", self.price, "[low, high] with 0 < low <= high")
        low, high = self.cost_ratio
        if not 0 < low <= high < 1:
            raise _wrong("cost_ratio", self.cost_ratio, "[low, high] with 0 < low <= high < 1")
        return self


class Category(Part):
    """Products that are bought for the same reason and share a place, a season and a tax."""

    name: str
    zone: str
    templates: tuple[Template, ...] = Field(min_length=1)
    products: Weight = 1.0
    """Relative number of products of this category when `volume.products` asks otherwise."""
    refrigerated: bool = False
    taxable: bool = True
    season: Months = (1.0,) * 12
    """Multiplier of demand per month, January first."""
    elasticity: Annotated[float, Field(ge=0, le=4, multiple_of=0.5)] = 2.5
    """Own-price elasticity of demand: units ~ price ** -elasticity.

    Near the published mean, -2.62 (Bijmolt, van Heerde, Pieters 2005: 1,851 estimates).
    """
    returns: Weight = 1.0
    """Relative odds that a line comes back; the profile's `returns.share` sets the mean."""
    online: Weight = 1.0
    """Relative share of online demand."""
    markdown_months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = ()
    markdown_percent: Annotated[int, Field(ge=0, le=60)] = 0
    """Seasonal discount in percent, during `markdown_months`."""


class Department(Part):
    name: str
    categories: tuple[Category, ...] = Field(min_length=1)


class StoreFormat(Part):
    """A kind of store. Hours are whole hours of the day; 0 to 24 never closes."""

    name: Name
    size_class: Literal["flagship", "large", "standard", "small"]
    share: Weight
    traffic: Annotated[float, Field(gt=0)] = 1.0
    """Traffic multiplier: flagship 1.5, small branch 0.7, as in the earlier scripts."""
    open_hour: Annotated[int, Field(ge=0, le=23)] = 8
    close_hour: Annotated[int, Field(ge=1, le=24)] = 21

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> StoreFormat:
        if self.open_hour >= self.close_hour:
            allowed = f"an hour after it opens, {self.open_hour + 1} to 24"
            raise _wrong("close_hour", self.close_hour, allowed)
        return self


class Mission(Part):
    """Why somebody shops: the categories that go together, and their odds per basket line."""

    categories: Weights


class Behaviour(Part):
    """How somebody shops: relative basket size, units per line, missions."""

    lines: Annotated[float, Field(gt=0)]
    """Relative mean number of lines; `volume.items_per_ticket_mean` scales the whole."""
    quantities: Annotated[tuple[Weight, ...], Field(min_length=1, max_length=24), SomeAboveZero]
    """Odds of 1, 2, 3 ... units per line."""
    missions: Weights
    minutes: tuple[int, int] = (10, 40)
    """Least and most minutes in the store."""


class Segment(Part):
    """Who shops. `price_tilt` > 0 prefers dear products of a category, < 0 cheap ones."""

    share: Share
    behaviours: Weights
    price_tilt: Annotated[float, Field(ge=-1, le=1)] = 0.0
    promo_response: Annotated[float, Field(ge=0, le=5)] = 1.0
    """Multiplies the odds of products on promotion."""
    loyalty: Share = 0.0
    """Share of lines on which a customer buys his usual product of the category."""


DayRule = Literal[
    "black_friday",
    "thanksgiving",
    "cyber_monday",
    "before_christmas",
    "christmas_day",
    "new_years_day",
    "independence_day",
]


class NamedDay(Part):
    """A day, or run of days, whose factor replaces month and weekday.

    `factor` counts in average days of the year (Black Friday 3.5); 0 means closed.
    `before_christmas` covers the `days` days up to and including 24 December.
    """

    rule: DayRule
    factor: DayFactor
    days: Annotated[int, Field(ge=1, le=60)] = 1
    opens_earlier: Annotated[int, Field(ge=0, le=12)] = 0
    closes_later: Annotated[int, Field(ge=0, le=12)] = 0
    missions: Annotated[Amounts, some_above_zero(or_none=True)] = {}
    """Multipliers of missions on that day (gift missions before Christmas)."""


class Temporal(Part):
    """When people shop. Month, weekday and half-hour factors are relative; each has mean 1."""

    months: Months
    weekdays: Weekdays
    """Monday first."""
    half_hours: HalfHours
    """Relative arrivals per half hour from midnight, on Monday to Friday; closed hours get none."""
    half_hours_weekend: HalfHours
    half_hours_online: HalfHours
    named_days: tuple[NamedDay, ...] = ()
    weather_share: EventShare = 0.2
    """Share of days with bad weather ..."""
    weather_effect: Annotated[float, Field(ge=0.5, le=1)] = 0.94
    """... and the factor of their traffic; fair days make up for it."""
    flash_sale_share: EventShare = 0.03
    """Share of days with a flash sale ..."""
    flash_sale_effect: Annotated[float, Field(ge=1, le=2)] = 1.06
    """... and the factor of their traffic."""
    country: str = "US"
    """Calendar of holidays, as the `holidays` package names it."""


class Returns(Part):
    share: Share = 0.07
    """Share of sold lines that come back, all categories; 7 % as in the earlier scripts.

    Published: 15.8 % of sales (NRF 2025).
    """
    max_days: Annotated[int, Field(ge=1, le=90)] = 30
    """Chosen: the month that receipts commonly allow."""
    damaged_share: Share = 0.15
    """Chosen: more than the odds of DAMAGED alone, less than with DEFECTIVE."""
    reasons: Weights = {
        "CHANGED_MIND": 40,
        "WRONG_ITEM": 20,
        "DEFECTIVE": 20,
        "DAMAGED": 10,
        "OTHER": 10,
    }
    """Chosen: taste before faults; drawn apart from the condition."""


class Online(Part):
    modes: Annotated[dict[Mode, Weight], SomeAboveZero, InOrder] = {
        "SHIP_FROM_DC": 60,
        "SHIP_FROM_STORE": 20,
        "BOPIS": 20,
    }
    """Chosen: most orders leave DCs, and both other modes are frequent enough to be tested."""
    lines_mean: Annotated[float, Field(ge=1, le=20)] = 2.2
    named_days: Annotated[dict[DayRule, DayFactor], InOrder] = {
        "black_friday": 3.5,
        "cyber_monday": 3.5,
    }
    """Online orders of named days, in average days of the year; other days share what is left.

    Whether stores are open or busy then, `temporal.named_days` says; a run there is as long here.
    """
    shipping: Annotated[float, Field(ge=0)] = 5.99
    free_shipping_from: Annotated[float, Field(ge=0)] = 35.0
    speeds: Annotated[tuple[Speed, ...], Field(min_length=1), some_above_zero("weight")] = (
        Speed(name="Standard"),
    )
    """How fast orders travel; the first is the usual one, and free where shipping is."""
    appetites: Annotated[
        tuple[Appetite, ...], some_above_zero("share", "orders", or_none=True)
    ] = ()
    """How differently often customers order; none means that all are alike."""
    dormant_share: Annotated[float, Field(ge=0, le=0.9)] = 0.0
    """Share of quarters in which a customer does not order at all."""
    weekdays: Weekdays = (1.1, 1.02, 1.0, 0.98, 0.95, 0.95, 1.0)


class Supply(Part):
    """How stock is kept. Days are days of mean demand."""

    store_cover_days: Annotated[float, Field(gt=0, le=120)] = 14.0
    store_safety_days: Annotated[float, Field(ge=0, le=60)] = 4.0
    presentation_units: Annotated[int, Field(ge=1, le=50)] = 3
    """Least units that a shelf should show, whatever the demand."""
    dc_cover_days: Annotated[float, Field(gt=0, le=365)] = 28.0
    dc_safety_days: Annotated[float, Field(ge=0, le=180)] = 10.0
    shrink_share: Share = 0.0144
    """Units lost to theft and error per unit sold (NRF, National Retail Security Survey 2017)."""
    damage_share: Share = 0.004
    count_adjustment_share: Share = 0.002
    refrigerated_trucks: Share = 0.4


class Channel(Part):
    """A marketing channel. `cost` is dollars per impression."""

    name: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    code: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    weight: Weight
    cost: tuple[float, float]
    conversion: Share = 0.01
    devices: Weights = {"MOBILE": 65, "DESKTOP": 25, "TABLET": 10}


class Marketing(Part):
    impressions_per_receipt: Annotated[float, Field(ge=0, le=20)] = 0.75
    channels: Annotated[tuple[Channel, ...], Field(min_length=1), some_above_zero("weight")]
    campaigns_per_year: Annotated[int, Field(ge=1, le=366)] = 40
    promotions_per_year: Annotated[int, Field(ge=1, le=730)] = 80


class Traffic(Part):
    """How densely sensors record. Rows per 1,000 receipts: 1,200 foot traffic, 10,000 pings."""

    foot_rows_per_receipt: Annotated[float, Field(ge=1, le=10)] = 1.2
    pings_per_receipt: Annotated[float, Field(ge=0, le=100)] = 10.0
    app_share: Share = 0.4
    """Share of shoppers whose phone answers beacons. Chosen: below half, most stay unseen."""
    browsers_per_receipt: Annotated[float, Field(ge=0, le=5)] = 0.25
    """Shoppers who leave without a purchase, per receipt. Chosen: four of five who enter buy."""


class Profile(Part):
    """A kind of retailer. Weights are relative within their list; nothing must sum to 1."""

    name: str
    description: str
    formats: Annotated[tuple[StoreFormat, ...], Field(min_length=1), some_above_zero("share")]
    zones: tuple[str, ...] = Field(min_length=1)
    """Zones in walking order; ENTRANCE comes first and CHECKOUT last."""
    departments: tuple[Department, ...] = Field(min_length=1)
    missions: Annotated[dict[str, Mission], InOrder] = Field(min_length=1)
    behaviours: Annotated[dict[str, Behaviour], InOrder]
    segments: Annotated[dict[str, Segment], some_above_zero("share"), InOrder]
    affinities: tuple[tuple[str, str], ...] = ()
    """Pairs of categories that are bought together (lift above 1.5)."""
    temporal: Temporal
    tenders: Weights = {
        "CREDIT_CARD": 35,
        "DEBIT_CARD": 30,
        "CASH": 14,
        "MOBILE_PAY": 15,
        "GIFT_CARD": 6,
    }
    """Credit 35, debit 30 and cash 14 %: Federal Reserve, Diary of Consumer Payment Choice 2024.

    Chosen: MOBILE_PAY and GIFT_CARD share what is left.
    """
    returns: Returns = Returns()
    online: Online = Online()
    webshop: WebShop = WebShop()
    supply: Supply = Supply()
    marketing: Marketing
    traffic: Traffic = Traffic()
    inflation_percent: Annotated[float, Field(ge=0, le=20)] = 3.0
    """Yearly price increase, taken in two steps a year on a date of each product's own."""
    products: Annotated[int, Field(ge=1, le=65000)] = 3000
    """Products when `volume.products` does not say."""

    @property
    def categories(self) -> tuple[Category, ...]:
        return tuple(c for d in self.departments for c in d.categories)

    @model_validator(mode="after")
    def _names_resolve(self) -> Profile:
        found = tuple(self._contradictions())
        if found:
            raise impossible(*found)
        return self

    def _contradictions(self) -> Iterator[Impossible]:
        if self.zones[0] != "ENTRANCE" or self.zones[-1] != "CHECKOUT":
            allowed = "zones that begin with ENTRANCE and end with CHECKOUT"
            yield Impossible(("zones",), list(self.zones), allowed)
        categories: list[str] = []
        for d, department in enumerate(self.departments):
            for c, category in enumerate(department.categories):
                at: Location = ("departments", d, "categories", c)
                if category.name in categories:
                    allowed = "a name that no other category has"
                    yield Impossible((*at, "name"), category.name, allowed)
                categories.append(category.name)
                yield from _known([category.zone], self.zones, (*at, "zone"))
        for name, mission in self.missions.items():
            at = ("missions", name, "categories")
            yield from _known(mission.categories, categories, at)
        for i, pair in enumerate(self.affinities):
            yield from _known(pair, categories, ("affinities", i))
        yield from _exactly(self.behaviours, BEHAVIOURS, "behaviours")
        yield from _exactly(self.segments, SEGMENTS, "segments")
        for name, behaviour in self.behaviours.items():
            yield from _known(behaviour.missions, self.missions, ("behaviours", name, "missions"))
        for name, segment in self.segments.items():
            yield from _known(segment.behaviours, self.behaviours, ("segments", name, "behaviours"))
        for i, day in enumerate(self.temporal.named_days):
            at = ("temporal", "named_days", i, "missions")
            yield from _known(day.missions, self.missions, at)


def _wrong(field: str, value: object, allowed: str) -> Exception:
    return impossible(Impossible((field,), value, allowed))


def _known(names: Collection[str], allowed: Collection[str], at: Location) -> Iterator[Impossible]:
    for name in names:
        if name not in allowed:
            yield Impossible(at, name, f"one of {', '.join(sorted(allowed))}")


def _exactly(names: Collection[str], wanted: Collection[str], at: str) -> Iterator[Impossible]:
    if set(names) != set(wanted):
        yield Impossible((at,), list(names), f"exactly {', '.join(wanted)}")
