"""Who is who in a past that was drawn: which item each of its sales takes, and who came for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from retail_datagen.core.arrays import I64, Bool
from retail_datagen.core.calendar import to_date
from retail_datagen.store.database import models as m
from retail_datagen.store.past import Past, Shelf
from retail_datagen.store.rewrite import PRESENT_STILL, Lives
from retail_datagen.store.standing import Standing


def lives_of(past: Past, shelf: Shelf, items: Standing, ids: I64, cents: I64, run: int) -> Lives:
    """Who is who: the first item of a product is sold first, and its successor takes its place.

    A product's items are those that were there and then those that came, in order of time; its
    k-th sale takes the k-th of them.
    """
    units = _Units(past, shelf)
    count, old, gone = len(units.product), units.old, units.gone
    item, heir_of = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    item[old] = items.item
    like = np.where(old, 0, item[units.place])
    arrived = np.full(count, np.datetime64(0, "us"))
    order = np.argsort(past.restock_product, kind="stable")
    arrived[~old] = past.restock_second[order].astype("M8[s]")
    arrived[old] = items.arrived
    # Who is known later cannot have been sold: an heir was, and he came when the successor did.
    bound = np.zeros(count, dtype=np.bool_)
    bound[old] = ~items.free
    swapped = np.flatnonzero(bound & gone)
    successor = units.successor[swapped]
    heir_of[swapped] = like[swapped] = item[swapped]
    item[successor], item[swapped], like[successor] = item[swapped], 0, 0
    departed = np.full(count, PRESENT_STILL)
    order = np.argsort(past.sale_product, kind="stable")
    departed[gone] = past.sale_second[order].astype("M8[s]")
    basket = np.full(count, None, dtype=object)
    basket[gone] = _baskets(past, run)[order]
    kept = gone | ~old
    texts = np.full(count, None, dtype=object)
    return Lives(
        item=item[kept],
        product=ids[units.product[kept]],
        like=like[kept],
        heir_of=heir_of[kept],
        arrived=arrived[kept],
        came=np.full(count, m.RESTOCK, dtype=object)[kept],
        came_by=texts[kept],
        rewritten=np.zeros(int(kept.sum()), dtype=np.bool_),
        departed=departed[kept],
        left=np.full(count, m.SALE, dtype=object)[kept],
        gone=np.full(count, m.SOLD, dtype=object)[kept],
        left_by=texts[kept],
        cents=cents[units.product[kept]],
        basket=basket[kept],
    )


class _Units:
    """Every unit that stands or comes, by product and time: [units].

    Whether it stands there first (`old`), is sold (`gone`), whose `place` it takes (a unit that is
    old), and who is there in its place at the end (`successor`, of old ones).
    """

    def __init__(self, past: Past, shelf: Shelf) -> None:
        size = len(shelf.stock)
        before = shelf.stock
        sold = np.bincount(past.sale_product, minlength=size)
        units = before + np.bincount(past.restock_product, minlength=size)
        self.product: I64 = np.repeat(np.arange(size), units)
        first = (np.cumsum(units) - units)[self.product]
        turn = np.arange(len(self.product)) - first
        slots = np.maximum(before, 1)[self.product]
        gone = sold[self.product]
        self.old: Bool = turn < before[self.product]
        self.gone: Bool = turn < gone
        self.place: I64 = first + turn % slots
        self.successor: I64 = first + gone + (turn - gone) % slots


def _baskets(past: Past, run: int) -> Any:
    """`B7-20240117-00042`: the run, the day, and the basket's number on it."""
    days = (past.sale_second // 86_400).tolist()
    named = {day: f"B{run}-{to_date(day):%Y%m%d}-" for day in set(days)}
    numbers = zip(days, past.sale_basket.tolist(), strict=True)
    return np.array([f"{named[day]}{number + 1:05d}" for day, number in numbers], dtype=object)
