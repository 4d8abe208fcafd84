"""What profiles are written with: parts that refuse unknown keys, weights, shares, names."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

V = TypeVar("V")

Weight = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
EventShare = Annotated[float, Field(ge=0, le=0.5)]
"""At most half of all days: what is rarer than its opposite can be balanced by it."""
DayFactor = Annotated[float, Field(ge=0, le=20)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
SEGMENTS = ("budget_conscious", "convenience_focused", "quality_seeker", "brand_loyal")
BEHAVIOURS = ("quick_trip", "grocery_run", "family_shopping", "bulk_purchase")


def _in_order(values: dict[str, V]) -> dict[str, V]:
    """By name; segments and behaviours in the order of their constants.

    The order of keys in a file says nothing, so it must not decide what is drawn either.
    """
    fixed = (*SEGMENTS, *BEHAVIOURS)
    names = sorted(values, key=lambda n: (fixed.index(n) if n in fixed else len(fixed), n))
    return {name: values[name] for name in names}


InOrder = AfterValidator(_in_order)
Weights = Annotated[dict[str, Weight], InOrder]
Mode = Literal["SHIP_FROM_DC", "SHIP_FROM_STORE", "BOPIS"]


class Part(BaseModel):
    """A part of a profile: unknown keys are errors, values never change after reading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True
    )
