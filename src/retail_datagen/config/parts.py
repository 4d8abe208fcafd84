"""What profiles are written with: parts that refuse unknown keys, weights, shares, names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from retail_datagen.config.problems import wrong_weights

V = TypeVar("V")
C = TypeVar("C")

Weight = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
EventShare = Annotated[float, Field(ge=0, le=0.5)]
"""At most half of all days: what is rarer than its opposite can be balanced by it."""
DayFactor = Annotated[float, Field(ge=0, le=20)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
SEGMENTS = ("budget_conscious", "convenience_focused", "quality_seeker", "brand_loyal")
BEHAVIOURS = ("quick_trip", "grocery_run", "family_shopping", "bulk_purchase")
LEAST_WEIGHT, MOST_WEIGHT = 0.001, 1_000_000
"""What is drawn by whole numbers rounds a smaller weight to nothing, and cannot hold a larger."""


def _in_order(values: dict[str, V]) -> dict[str, V]:
    """By name; segments and behaviours in the order of their constants.

    The order of keys in a file says nothing, so it must not decide what is drawn either.
    """
    fixed = (*SEGMENTS, *BEHAVIOURS)
    names = sorted(values, key=lambda n: (fixed.index(n) if n in fixed else len(fixed), n))
    return {name: values[name] for name in names}


def some_above_zero(*fields: str, or_none: bool = False) -> AfterValidator:
    """Refuses weights of which none counts: nothing could be drawn by them.

    They are those of a list or mapping, or the `fields` of its parts, of which one part must have
    all. An empty one is refused as well, unless `or_none`.
    """

    def check(given: C) -> C:
        parts = list(given.values()) if isinstance(given, Mapping) else list(given)  # type: ignore[call-overload]
        weights = [min(getattr(p, f) for f in fields) if fields else p for p in parts]
        most = max(weights, default=LEAST_WEIGHT if or_none else 0)
        if not LEAST_WEIGHT <= most <= MOST_WEIGHT:
            raise wrong_weights(" and ".join(fields), most, (LEAST_WEIGHT, MOST_WEIGHT))
        return given

    return AfterValidator(check)


InOrder = AfterValidator(_in_order)
SomeAboveZero = some_above_zero()
Weights = Annotated[dict[str, Weight], SomeAboveZero, InOrder]
Amounts = Annotated[dict[str, Weight], InOrder]
"""By name; not relative to each other, so that all may be 0."""
Mode = Literal["SHIP_FROM_DC", "SHIP_FROM_STORE", "BOPIS"]


class Part(BaseModel):
    """A part of a profile: unknown keys are errors, values never change after reading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True
    )
