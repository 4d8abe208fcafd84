"""RetailConfig: what the user asks for. Reads JSON, YAML or TOML, and the environment.

Fields that shape content are hashed into a history's identity; `paths`, `stream`, `realtime` and
`timezone` are not.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from retail_datagen.config.errors import ConfigError
from retail_datagen.config.layers import Layers, build, read_layers
from retail_datagen.config.library import Tailored, tailor, unknown_profile
from retail_datagen.config.parts import LEAST_WEIGHT
from retail_datagen.config.problems import Impossible, Problem, impossible
from retail_datagen.config.profile import Profile

_ROUNDING = 1e-6
"""By how much shares that a user wrote may miss their sum."""


class Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class Volume(Section):
    """How large the retailer is. Means are chain-wide and per day, over a year."""

    stores: Annotated[int, Field(ge=1, le=9999)] = 10
    """Stores of the chain."""
    dcs: Annotated[int, Field(ge=1, le=99)] = 1
    """Distribution centres; no more than stores."""
    customers_per_day: Annotated[int, Field(ge=1, le=2_000_000)] = 1000
    """Receipts in stores."""
    items_per_ticket_mean: Annotated[float, Field(ge=1, le=40)] = 4.2
    """Lines per receipt."""
    online_orders_per_day: Annotated[int, Field(ge=0, le=1_000_000)] = 125
    """Online orders."""
    customers: Annotated[int, Field(ge=0, le=20_000_000)] = 0
    """Customers; 0 means five for each daily receipt, 1,000 at least."""
    products: Annotated[int, Field(ge=0, le=65_000)] = 0
    """Products; 0 means the profile's number."""

    @property
    def customer_count(self) -> int:
        return self.customers or max(1000, 5 * self.customers_per_day)

    @model_validator(mode="after")
    def _every_dc_has_a_store(self) -> Volume:
        if self.dcs > self.stores:
            allowed = f"at most one for each store, here {self.stores}"
            raise impossible(Impossible(("dcs",), self.dcs, allowed))
        return self


class Signups(Section):
    """When customers signed up at the web shop, which is when they may first order there."""

    first: date = date(2010, 1, 1)
    """First day."""
    last: date = date(2014, 12, 31)
    """Last day, itself included; `first` or later."""
    guest_share: Annotated[float, Field(ge=0, le=0.9)] = 0.2
    """Share of customers who never sign up: they order as guests, at any time."""

    @model_validator(mode="after")
    def _first_before_last(self) -> Signups:
        if self.first > self.last:
            allowed = f"signups.first, {self.first}, or a later day"
            raise impossible(Impossible(("last",), self.last, allowed))
        return self


class Realtime(Section):
    """How live events are sent; history is the same for all of it."""

    emit_interval_ms: Annotated[int, Field(ge=1)] = 500
    """Milliseconds between two sendings: of what has become due, or of `burst` events."""
    burst: Annotated[int, Field(ge=1)] = 100
    """Events of one sending with `stream --bursts`."""


def _not_empty(value: object) -> object:
    """Refuses an empty text, which would mean the working directory, and what no name may hold."""
    if isinstance(value, str) and (not value.strip() or "\0" in value):
        raise PydanticCustomError("no_path", "a path is not empty and holds no NUL")
    return value


Folder = Annotated[Path, BeforeValidator(_not_empty)]

with warnings.catch_warnings():
    # Published configurations call a folder `dict`, also a deprecated method of pydantic's models.
    warnings.filterwarnings("ignore", message='Field name "dict"')

    class Paths(Section):
        """Folders, seen from the working directory."""

        dict: Folder = Path("data/dictionaries")  # type: ignore[assignment]
        """Dictionaries of one's own: names, streets, cities with tax rates, brands, products."""
        master: Folder = Path("data/master")
        """Master data: stores, products, customers and the rest of the world."""
        facts: Folder = Path("data/facts")
        """Fact tables, one folder each."""

        @model_validator(mode="after")
        def _facts_beside_master(self) -> Paths:
            if self.facts.resolve() == self.master.resolve():
                allowed = f"another folder than paths.master, {self.master.as_posix()}"
                raise impossible(Impossible(("facts",), self.facts.as_posix(), allowed))
            return self


class EventDistribution(Section):
    """How often a live stream selects each kind of event; together 1.

    A sale's inventory update comes on top.
    """

    sales: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Sales: lines of receipts."""
    inventory: Annotated[float, Field(ge=0, le=1)] = 0.2
    """Movements of stock that are no sale in a store."""
    customer: Annotated[float, Field(ge=0, le=1)] = 0.15
    """Steps of shoppers, and views online."""
    price_change: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Price changes."""
    restock: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Restock alerts."""

    @property
    def shares(self) -> dict[str, float]:
        """The share of each kind, by its name."""
        return {name: getattr(self, name) for name in type(self).model_fields}

    @model_validator(mode="after")
    def _sums_to_one(self) -> EventDistribution:
        total = sum(self.shares.values())
        if abs(total - 1) > _ROUNDING:
            allowed = f"five shares that sum to 1; they sum to {total:g}"
            raise impossible(Impossible((), self.shares, allowed))
        return self


class Stream(Section):
    """What live events are sent, how often and where."""

    hub: str = "retail-events"
    """Name of the hub: the topic of the flat events."""
    min_delta_seconds: Annotated[float, Field(ge=0, le=86_400)] = 10
    """Least seconds between two events of `stream`."""
    max_delta_seconds: Annotated[float, Field(ge=0, le=86_400)] = 60
    """Most seconds between two events; `min_delta_seconds` or more."""
    event_distribution: EventDistribution = EventDistribution()

    @model_validator(mode="after")
    def _least_before_most(self) -> Stream:
        if self.min_delta_seconds > self.max_delta_seconds:
            allowed = f"min_delta_seconds, {self.min_delta_seconds:g}, or more"
            raise impossible(Impossible(("max_delta_seconds",), self.max_delta_seconds, allowed))
        return self


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        allowed = "an IANA time zone, such as Europe/Berlin, America/New_York or UTC"
        raise impossible(Impossible((), name, allowed)) from None
    return name


class Calendar(Section):
    """The years that master data covers; facts lie within."""

    first: date = date(2015, 1, 1)
    """First day, within 1970 to 2100."""
    last: date = date(2035, 12, 31)
    """Last day, itself included; after the first."""

    @model_validator(mode="after")
    def _first_before_last(self) -> Calendar:
        allowed = "a day from 1970-01-01 to 2100-12-31"
        for name, day in (("first", self.first), ("last", self.last)):
            if not 1970 <= day.year <= 2100:
                raise impossible(Impossible((name,), day, allowed))
        if self.first >= self.last:
            allowed = f"a day after calendar.first, {self.first}"
            raise impossible(Impossible(("last",), self.last, allowed))
        return self


OUTSIDE_CONTENT = frozenset({"paths", "stream", "realtime", "timezone"})
"""Fields of a configuration that change no row of any table."""


class RetailConfig(Section):
    """A retailer to generate."""

    seed: Annotated[int, Field(ge=0, lt=2**63)] = 42
    """Decides everything random; the same seed gives the same bytes."""
    profile: str = "supercenter"
    """A packaged profile's name, or the path of a YAML file of one's own."""
    volume: Volume = Volume()
    signups: Signups = Signups()
    realtime: Realtime = Realtime()
    paths: Paths = Paths()
    stream: Stream = Stream()
    calendar: Calendar = Calendar()
    timezone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    """The business's time zone, an IANA name such as America/New_York: it turns local times into
    the instants that events carry. Fact tables are local times, whatever it is."""
    overrides: Annotated[
        dict[str, object],
        Field(
            examples=[{"temporal.months.0": 0.8, "temporal.named_days.black_friday.factor": 4.0}]
        ),
    ] = {}
    """Any field of the profile by its dotted path, list elements by index or name."""

    @classmethod
    def from_file(cls, path: str | Path) -> RetailConfig:
        """The configuration in a JSON, YAML or TOML file, under RETAIL_ environment variables.

        Raises ConfigError that lists everything wrong: field, value, what is allowed, where.
        """
        return cls.resolve(path).config

    @classmethod
    def resolve(cls, path: str | Path | None = None) -> Resolved:
        """Like `from_file`, with where each value came from; without a file, of defaults."""
        layers = read_layers(cls, path)
        name = layers.data.get("profile")
        problems = []
        if isinstance(name, str) and (text := unknown_profile(name)):
            problems.append(Problem(("profile",), "profile", text, layers.source("profile")))
        config = build(cls, layers, problems)
        if config.overrides:  # here it is known who gave them
            tailor(config.profile, config.overrides, layers.override_source)
        return Resolved(config, layers)

    def load_profile(self) -> Profile:
        """The profile with `overrides` applied. Raises ConfigError that names the override."""
        return self.tailored().profile

    def tailored(self) -> Tailored:
        """The profile as `load_profile` gives it, with its file and what each override changed."""
        found = tailor(self.profile, self.overrides)
        tenders = found.profile.tenders.items()
        besides = [weight for name, weight in tenders if name != "CASH"]
        if self.volume.online_orders_per_day and max(besides, default=0) < LEAST_WEIGHT:
            raise ConfigError(
                f"{found.file}: tenders has none but CASH above 0, which no web shop takes; "
                "allowed: at least one other above 0, or volume.online_orders_per_day 0"
            )
        return found

    def content_hash(self, profile: Profile | None = None) -> str:
        """sha256 (hex) of what shapes content: all but paths, stream, realtime and timezone.

        The profile counts by what it says once overridden, not by its name or file. `profile` is
        what `load_profile` gave, where that is at hand: reading it takes a while.
        """
        profile = profile or self.load_profile()
        outside = OUTSIDE_CONTENT | {"profile", "overrides"}
        shape = self.model_dump(mode="json", exclude=set(outside))
        shape["volume"]["customers"] = self.volume.customer_count
        shape["volume"]["products"] = self.volume.products or profile.products
        # Not sorted: the order of a template's variants is content, and all else has one order.
        text = json.dumps([shape, profile.model_dump(mode="json", exclude={"description"})])
        return sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Resolved:
    """A configuration and the layers that it was read from."""

    config: RetailConfig
    layers: Layers
