"""Where items stand: a stretch of shelf for each product, and a place on it for each item.

A category's zone in the profile says which shelves; its products follow each other along them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retail_datagen.core.arrays import F64, I64
from retail_datagen.core.rng import mix
from retail_datagen.store.floor import (
    BACK_WALL,
    CHECKOUT,
    FLOOR,
    ISLAND,
    LEFT_WALL,
    RIGHT_WALL,
    Zone,
)

_KINDS = {
    "LEFT_WALL": LEFT_WALL,
    "RIGHT_WALL": RIGHT_WALL,
    "BACK_WALL": BACK_WALL,
    "CENTER": ISLAND,
    "CHECKOUT": CHECKOUT,
}
_SPREAD = 30
"""Items of a product stand within so many centimetres along the shelf."""
_MARGIN = 5
"""Nothing stands nearer to a shelf's edge."""


@dataclass(frozen=True, slots=True)
class Spots:
    """A product's spot: [products]. Its zone's number, and how far along it, in centimetres."""

    zone: I64
    along: I64


def shelf_kind(zone: str) -> str:
    """The kind of shelves for a profile's zone; those that we have no shelves for go to islands."""
    return _KINDS.get(zone, ISLAND)


def spots(zones: Sequence[str]) -> Spots:
    """Spots of products, by their categories' zones in the profile, in the products' order."""
    kinds = np.array([shelf_kind(zone) for zone in zones])
    zone = np.zeros(len(zones), dtype=np.int64)
    along = np.zeros(len(zones), dtype=np.int64)
    for kind in dict.fromkeys(kinds.tolist()):
        rows = np.flatnonzero(kinds == kind)
        shelves = FLOOR.of_kind(kind)
        ends = np.cumsum([shelf.length for shelf in shelves])
        place = (2 * np.arange(len(rows)) + 1) * int(ends[-1]) // (2 * len(rows))
        which = np.searchsorted(ends, place, side="right")
        zone[rows] = np.array([shelf.id for shelf in shelves])[which]
        along[rows] = place - np.concatenate([[0], ends])[which]
    return Spots(zone, along)


def places(spot: Spots, product: I64, number: I64) -> tuple[F64, F64, I64]:
    """x, y (cm, to the millimetre's tenth) and zone of items, by product (a row) and tag number.

    An item's place depends on its product's spot and its own number alone.
    """
    bits = mix(number, salt=41)
    across = (bits & np.uint64(0xFFFF)).astype(np.int64)
    beside = (bits >> np.uint64(16) & np.uint64(0xFFFF)).astype(np.int64)
    zone = spot.zone[product]
    shelf = np.array([_box(z) for z in FLOOR.zones], dtype=np.int64)[zone - 1]
    upright, length, depth = shelf[:, 4] == 1, shelf[:, 2], shelf[:, 3]
    along = spot.along[product] * 100 + (beside * 2 * _SPREAD * 100 >> 16) - _SPREAD * 100
    along = np.clip(along, _MARGIN * 100, (length - _MARGIN) * 100)
    into = _MARGIN * 100 + (across * (depth - 2 * _MARGIN) * 100 >> 16)
    x = shelf[:, 0] * 100 + np.where(upright, into, along)
    y = shelf[:, 1] * 100 + np.where(upright, along, into)
    return x / 100, y / 100, zone


def _box(zone: Zone) -> tuple[int, int, int, int, int]:
    """(x0, y0, length along it, depth, whether its length lies along y)."""
    upright = zone.y1 - zone.y0 > zone.x1 - zone.x0
    depth = min(zone.x1 - zone.x0, zone.y1 - zone.y0)
    return zone.x0, zone.y0, zone.length, depth, int(upright)
