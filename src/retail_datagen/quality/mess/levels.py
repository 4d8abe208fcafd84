"""How messy: levels with their shares, switches beyond them, and which columns they reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from retail_datagen.config.errors import UserError
from retail_datagen.schema.table import Column, Kind, Table


@dataclass(frozen=True, slots=True)
class Level:
    """Shares of the cells that may be hit; `spike` multiplies units in the months of spikes."""

    whitespace: float
    casing: float
    nulls: float
    spike: float = 1.0
    reasons: float = 0.0


LEVELS: Final[Mapping[str, Level]] = {
    "none": Level(0, 0, 0),
    "light_mess": Level(0.05, 0.05, 0.02),
    "medium_mess": Level(0.08, 0.08, 0.04, 1.5, 0.25),
    "heavy_mess": Level(0.15, 0.15, 0.08, 2.0, 0.5),
}
ALIASES: Final = {"baseline": "none"}
SPIKE_MONTHS: Final = (10, 11)
"""November and December, counted from 0."""
STYLED: Final[Mapping[str, tuple[str, ...]]] = {
    "shopping_carts": ("status",),
    "cart_items": ("product_name", "category"),
    "orders": ("order_channel", "payment_method", "shipping_speed", "customer_tier", "clv_bucket"),
    "order_items": ("product_name", "category"),
    "returns": ("reason", "return_type", "return_channel"),
    "return_items": ("product_name",),
    "product_catalog": ("product_name", "category"),
    "customers": ("gender", "customer_status", "signup_channel", "loyalty_tier"),
}
"""Columns that stray whitespace and casing reach."""
NULLED: Final[Mapping[str, tuple[str, ...]]] = {
    "customers": ("email_verified", "marketing_opt_in"),
    "shopping_carts": ("updated_at",),
    "cart_items": ("added_at",),
    "orders": ("agent_id",),
    "returns": ("agent_id",),
}
TYPED: Final[Mapping[str, tuple[str, ...]]] = {
    "customers": ("first_name", "last_name", "mailing_address"),
    "orders": ("shipping_address",),
    "cart_items": ("product_name",),
    "order_items": ("product_name",),
    "return_items": ("product_name",),
    "product_catalog": ("product_name",),
}
"""Columns that typing errors reach."""
DATED: Final[Mapping[str, tuple[str, ...]]] = {
    "shopping_carts": ("updated_at",),
    "cart_items": ("added_at",),
    "customers": ("loyalty_enrollment_date",),
}
"""Columns whose dates may break: never the one that says which partition a row belongs to."""
ORPHANED: Final[Mapping[str, tuple[str, ...]]] = {
    "cart_items": ("product_id",),
    "order_items": ("product_id",),
    "return_items": ("product_id",),
}
SPIKED: Final[Mapping[str, str]] = {"orders": "total_items"}
BIASED: Final[Mapping[str, str]] = {"returns": "reason"}
DRIFTED: Final[Mapping[str, Column]] = {
    "orders": Column("source_system", Kind.TEXT, "Added in the middle of a year.", null=True),
    "shopping_carts": Column("device", Kind.TEXT, "Added in the middle of a year.", null=True),
}
"""A column that comes into a table each July and is gone again in January."""
DRIFT_MONTHS: Final = range(6, 12)


@dataclass(frozen=True, slots=True)
class Mess:
    """A level and switches, each the share of rows or cells that it hits."""

    level: str = "none"
    duplicates: float = 0.0
    late_arrivals: float = 0.0
    typos: float = 0.0
    broken_dates: float = 0.0
    orphaned_keys: float = 0.0
    schema_drift: bool = False

    @classmethod
    def of(cls, level: str, switches: Mapping[str, str]) -> Mess:
        """From what a user wrote. Raises UserError that names the level or switch."""
        name = ALIASES.get(level, level)
        if name not in LEVELS:
            allowed = ", ".join((*LEVELS, *ALIASES))
            raise UserError(f"messiness-level: {level!r} is not known; allowed are {allowed}")
        mess = cls(name)
        for switch, text in switches.items():
            mess = mess._with(switch, text)
        return mess

    @property
    def shares(self) -> Level:
        return LEVELS[self.level]

    @property
    def is_none(self) -> bool:
        """Whether nothing is to be spoilt."""
        return self == Mess()

    def switches(self) -> dict[str, str]:
        """The switches that are on, as `of` takes them."""
        on = {name: str(getattr(self, name)) for name in _SWITCHES if getattr(self, name)}
        return on | ({"schema_drift": "true"} if self.schema_drift else {})

    def settings(self) -> dict[str, str]:
        """What differs from no mess, by dotted path."""
        clean = Mess()
        return {
            f"mess.{name}": str(getattr(self, name))
            for name in ("level", *_SWITCHES, "schema_drift")
            if getattr(self, name) != getattr(clean, name)
        }

    def _with(self, switch: str, text: str) -> Mess:
        if switch == "schema_drift":
            if text.lower() not in ("true", "false", "1", "0"):
                raise UserError(f"mess: schema_drift is true or false, not {text!r}")
            return replace(self, schema_drift=text.lower() in ("true", "1"))
        if switch not in _SWITCHES:
            allowed = ", ".join((*_SWITCHES, "schema_drift"))
            raise UserError(f"mess: {switch!r} is not known; allowed are {allowed}")
        try:
            share = float(text)
        except ValueError:
            share = -1.0
        if not 0 <= share <= 0.5:
            raise UserError(f"mess: {switch} is a share from 0 to 0.5, not {text!r}")
        return replace(self, **{switch: share})  # type: ignore[arg-type]


_SWITCHES = ("duplicates", "late_arrivals", "typos", "broken_dates", "orphaned_keys")


def messy_table(table: Table, mess: Mess, drifted: bool = False) -> Table:
    """How a table is declared once it may be messy: nulls, dates as texts, any words.

    `drifted`, with the column that comes into it in the middle of a year.
    """
    if mess.is_none:
        return table
    nulled = NULLED.get(table.name, ()) if mess.shares.nulls else ()
    broken = DATED.get(table.name, ()) if mess.broken_dates else ()
    columns = tuple(_messy_column(c, c.name in nulled, c.name in broken) for c in table.columns)
    if drifted and table.name in DRIFTED:
        columns = (*columns, DRIFTED[table.name])
    return replace(table, columns=columns, key=() if mess.duplicates else table.key)


def _messy_column(column: Column, nulled: bool, broken: bool) -> Column:
    kind = Kind.TEXT if broken else column.kind
    encoding = None if broken else column.encoding
    return replace(column, kind=kind, encoding=encoding, null=column.null or nulled, words=())
