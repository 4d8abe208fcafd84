"""The floor plan: where shelves, islands, checkout and entrance stand, in centimetres.

x grows to the right, y from the front, where the entrance is, to the back wall. What lies in no
zone is aisle. Every store of ours has this one plan; the table `zones` holds a copy for readers.
"""

from __future__ import annotations

from dataclasses import dataclass

LEFT_WALL, RIGHT_WALL, BACK_WALL = "left_wall", "right_wall", "back_wall"
ISLAND, CHECKOUT, ENTRANCE = "island", "checkout", "entrance"
SHELVES = (LEFT_WALL, RIGHT_WALL, BACK_WALL, ISLAND, CHECKOUT)
"""Kinds of zones that hold goods."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A rectangle with its edges: x0 <= x <= x1 and y0 <= y <= y1."""

    id: int
    name: str
    kind: str
    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def length(self) -> int:
        """Along its longer side."""
        return max(self.x1 - self.x0, self.y1 - self.y0)

    @property
    def center(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2


@dataclass(frozen=True, slots=True)
class FloorPlan:
    """A store's floor, `width` by `depth`."""

    width: int
    depth: int
    zones: tuple[Zone, ...]

    def of_kind(self, *kinds: str) -> tuple[Zone, ...]:
        """The zones of some kinds, in the order of their numbers."""
        return tuple(zone for zone in self.zones if zone.kind in kinds)


def _islands() -> tuple[Zone, ...]:
    """Two rows of four, with aisles of 2.4 m between them."""
    return tuple(
        Zone(
            4 + 4 * row + column,
            f"Centre Island {4 * row + column + 1}",
            ISLAND,
            330 + 480 * column,
            420 + 720 * row,
            570 + 480 * column,
            900 + 720 * row,
        )
        for row in range(2)
        for column in range(4)
    )


FLOOR = FloorPlan(
    width=2400,
    depth=1800,
    zones=(
        Zone(1, "Left Wall Shelves", LEFT_WALL, 0, 240, 60, 1680),
        Zone(2, "Right Wall Shelves", RIGHT_WALL, 2340, 240, 2400, 1680),
        Zone(3, "Back Wall Shelves", BACK_WALL, 120, 1740, 2280, 1800),
        *_islands(),
        Zone(12, "Checkout", CHECKOUT, 1500, 120, 2220, 240),
        Zone(13, "Entrance", ENTRANCE, 240, 0, 600, 120),
    ),
)
