"""Where one can walk: aisles along the shelves, and the shortest way between any two points.

A floor has shelves in it, which nobody walks through. Along each longer side of one that faces
open floor runs an aisle, midway to what stands opposite; two that nearly coincide are one. Ways are
straight lines that cross no shelf.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from retail_datagen.core.arrays import F64, I64, Bool
from retail_datagen.store.floor import CHECKOUT, ENTRANCE, SHELVES, FloorPlan

_LANE: Final = 120.0
"""Centimetres at most between a shelf and who walks along it."""
_SHORTEST: Final = 200.0
_SAME: Final = 110.0
"""Aisles whose ends are both that close to another are that other."""
_FAR: Final = 1e9
_FROM_CORNER: Final = 60.0
_TILLS: Final = 3

Point = tuple[float, float]
Line = tuple[float, float, float, float]
"""From x, y to x, y."""


class Walkways:
    """Nodes are points, x and y in cm: the entrance, the tills, the stockroom, ends of aisles.

    `aisles[a]` are the two nodes between which aisle `a` runs; `length[i, j]` the shortest way.
    """

    def __init__(self, plan: FloorPlan) -> None:
        """Raises ValueError for a floor without shelves to walk along."""
        boxes = np.array(
            [(z.x0, z.y0, z.x1, z.y1) for z in plan.of_kind(*SHELVES)], dtype=np.float64
        ).reshape(-1, 4)
        ends = _aisles(plan, boxes)
        if not len(ends):
            raise ValueError("the floor plan has no shelf that one can walk along")
        entrance = _entrance(plan)
        tills = _tills(plan) or [entrance]
        points = [entrance, *tills, _stockroom(plan, boxes)]
        self.entrance = 0
        self.tills = tuple(range(1, 1 + len(tills)))
        self.stockroom = len(points) - 1
        first = len(points)
        self.aisles: I64 = first + np.arange(2 * len(ends), dtype=np.int64).reshape(-1, 2)
        places = np.vstack([np.array(points, dtype=np.float64), ends.reshape(-1, 2)])
        self.x: F64 = places[:, 0].copy()
        self.y: F64 = places[:, 1].copy()
        self.length, self._next = _shortest(*_direct(self.x, self.y, boxes))

    @property
    def number_of_aisles(self) -> int:
        return len(self.aisles)

    def route(self, start: int, end: int) -> list[int]:
        """The nodes on the way, `start` left out and `end` included."""
        way = []
        while start != end:
            start = int(self._next[start, end])
            way.append(start)
        return way

    def along(self, aisle: int, x: F64, y: F64) -> F64:
        """How far along an aisle (0 to 1) one stands nearest to each place."""
        return _along(self._ends(aisle), x, y)

    def point(self, aisle: int, share: float) -> Point:
        """The place so far along an aisle."""
        ax, ay, bx, by = self._ends(aisle)
        return ax + (bx - ax) * share, ay + (by - ay) * share

    def distance(self, aisle: int, x: F64, y: F64) -> F64:
        """Centimetres between each place and the nearest point of an aisle."""
        ends = self._ends(aisle)
        share = _along(ends, x, y)
        ax, ay, bx, by = ends
        dx = ax + (bx - ax) * share - x
        dy = ay + (by - ay) * share - y
        away: F64 = np.sqrt(dx * dx + dy * dy)
        return away

    def _ends(self, aisle: int) -> Line:
        a, b = self.aisles[aisle]
        return float(self.x[a]), float(self.y[a]), float(self.x[b]), float(self.y[b])


def _along(ends: Line, x: F64, y: F64) -> F64:
    ax, ay, bx, by = ends
    dx, dy = bx - ax, by - ay
    share: F64 = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)
    return np.clip(share, 0.0, 1.0)


def _entrance(plan: FloorPlan) -> Point:
    zones = plan.of_kind(ENTRANCE)
    return zones[0].center if zones else (plan.width / 2, _FROM_CORNER)


def _tills(plan: FloorPlan) -> list[Point]:
    """Points along the front of the checkout."""
    return [
        (zone.x0 + (zone.x1 - zone.x0) * (2 * i + 1) / (2 * _TILLS), max(zone.y0 - 60.0, 0.0))
        for zone in plan.of_kind(CHECKOUT)
        for i in range(_TILLS)
    ]


def _stockroom(plan: FloorPlan, boxes: F64) -> Point:
    """Its door: a corner of the room that no shelf stands in, at the back if there is one."""
    near, right, back = _FROM_CORNER, plan.width - _FROM_CORNER, plan.depth - _FROM_CORNER
    corners = ((near, back), (right, back), (near, near), (right, near))
    for x, y in corners:
        inside = (boxes[:, 0] < x) & (x < boxes[:, 2]) & (boxes[:, 1] < y) & (y < boxes[:, 3])
        if not inside.any():
            return x, y
    return corners[0]


def _aisles(plan: FloorPlan, boxes: F64) -> F64:
    """Ends of the aisles: (n, 4) as x, y, x, y."""
    found: list[Line] = []
    for box in boxes:
        for side in range(4):
            ends = _beside(box, side, plan, boxes)
            if ends is not None and _is_free(ends, boxes) and not _is_there(ends, found):
                found.append(ends)
    return np.array(found, dtype=np.float64).reshape(-1, 4)


def _beside(box: F64, side: int, plan: FloorPlan, boxes: F64) -> Line | None:
    """The line off a side (left, right, front, back) of a shelf; None where nobody fits."""
    upright, outward = side < 2, 1.0 if side % 2 else -1.0
    across, along = (0, 1) if upright else (1, 0)
    start, end = float(box[along]), float(box[along + 2])
    edge = float(box[across + 2 if outward > 0 else across])
    wall = float(plan.width if upright else plan.depth) if outward > 0 else 0.0
    opposite = (boxes[:, along] < end) & (boxes[:, along + 2] > start)
    faces = boxes[opposite, across if outward > 0 else across + 2]
    gaps = (np.append(faces, wall) - edge) * outward
    room = float(gaps[gaps >= 0].min())
    if end - start < _SHORTEST or room < _FROM_CORNER:
        return None
    middle = edge + outward * min(room / 2, _LANE)
    return (middle, start, middle, end) if upright else (start, middle, end, middle)


def _is_free(ends: Line, boxes: F64) -> bool:
    line = np.array([ends])
    return not bool(_crosses(line[:, 0], line[:, 1], line[:, 2], line[:, 3], boxes)[0])


def _is_there(ends: Line, found: list[Line]) -> bool:
    x, y = np.array([ends[0], ends[2]]), np.array([ends[1], ends[3]])
    for other in found:
        share = _along(other, x, y)
        dx = other[0] + (other[2] - other[0]) * share - x
        dy = other[1] + (other[3] - other[1]) * share - y
        if bool(np.all(dx * dx + dy * dy <= _SAME * _SAME)):
            return True
    return False


def _crosses(ax: F64, ay: F64, bx: F64, by: F64, boxes: F64) -> Bool:
    """Whether each line from a to b passes through the inside of any box (slabs)."""
    if not len(boxes):
        return np.zeros(len(ax), dtype=np.bool_)
    enter = np.zeros((len(ax), len(boxes)))
    leave = np.ones((len(ax), len(boxes)))
    outside = np.zeros((len(ax), len(boxes)), dtype=np.bool_)
    for start, end, low, high in ((ax, bx, 0, 2), (ay, by, 1, 3)):
        delta = (end - start)[:, None]
        near, far = boxes[:, low] - start[:, None], boxes[:, high] - start[:, None]
        still = delta == 0
        outside |= still & ((near >= 0) | (far <= 0))
        step = np.where(still, 1.0, delta)
        one, two = near / step, far / step
        enter = np.where(still, enter, np.maximum(enter, np.minimum(one, two)))
        leave = np.where(still, leave, np.minimum(leave, np.maximum(one, two)))
    through: Bool = np.any(~outside & (enter + 1e-9 < leave), axis=1)
    return through


def _direct(x: F64, y: F64, boxes: F64) -> tuple[F64, I64]:
    """Lengths of straight ways between all nodes, and where each leads; `_FAR` where blocked."""
    n = len(x)
    a, b = (index.ravel() for index in np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
    dx, dy = x[b] - x[a], y[b] - y[a]
    away = np.sqrt(dx * dx + dy * dy)
    away[_crosses(x[a], y[a], x[b], y[b], boxes)] = _FAR
    return away.reshape(n, n), b.reshape(n, n).astype(np.int64)


def _shortest(length: F64, following: I64) -> tuple[F64, I64]:
    """Floyd and Warshall's: all shortest ways and the first node of each.

    A node that no way leads to, as with blocks that wall it in, is reached in a straight line.
    """
    np.fill_diagonal(length, 0.0)
    direct = following.copy()
    for via in range(len(length)):
        longer = length[:, via : via + 1] + length[via]
        shorter = longer < length
        length = np.where(shorter, longer, length)
        following = np.where(shorter, following[:, via : via + 1], following)
    lost = length >= _FAR
    return length, np.where(lost, direct, following)
