"""One simulation: a step moves everybody by a tick, books what came of it, and tells about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from retail_datagen.core.arrays import I64
from retail_datagen.store.floor import FloorPlan
from retail_datagen.store.simulation.books import Books, Opening, Seen
from retail_datagen.store.simulation.clock import TICK_MS, Clock
from retail_datagen.store.simulation.events import (
    Event,
    Found,
    Listener,
    Missing,
    Positions,
    Sale,
    SnapshotTaken,
    StockChanged,
)
from retail_datagen.store.simulation.items import CARRIED_OFF, GONE, Items
from retail_datagen.store.simulation.readers import Readers
from retail_datagen.store.simulation.scanner import Scanner
from retail_datagen.store.simulation.settings import Settings
from retail_datagen.store.simulation.shoppers import MOST as SHOPPERS
from retail_datagen.store.simulation.shoppers import Checkout, Shoppers
from retail_datagen.store.simulation.staff import MOST as EMPLOYEES
from retail_datagen.store.simulation.staff import Shelved, Staff
from retail_datagen.store.simulation.walk import Walkers
from retail_datagen.store.simulation.walkways import Walkways

_KEPT_AT_ONCE_MS: Final = 5_000
_CLEARED_MS: Final = 60_000


@dataclass(slots=True)
class Tally:
    """What has happened so far; money in cents."""

    steps: int = 0
    sold: int = 0
    revenue: int = 0
    baskets: int = 0
    stolen: int = 0
    restocked: int = 0
    refused: int = 0
    """Items that somebody else had taken out of the books meanwhile."""
    detections: int = 0
    snapshots: int = 0

    def copy(self) -> Tally:
        return replace(self)


class Simulation:
    """Shoppers, staff and readers in one store. Not for two threads at once.

    `settings` may be replaced between two steps; what is under way ends as it began.
    """

    def __init__(
        self,
        books: Books,
        plan: FloorPlan,
        settings: Settings,
        start: int,
        listeners: Sequence[Listener] = (),
    ) -> None:
        """Open the books. `start` is the clock's first instant, in ms since 1970.

        The clock begins later where the books know a later instant. Raises UserError where there
        is nothing to simulate with.
        """
        opening: Opening = books.open()
        self.settings = settings
        self.tally = Tally()
        self._listeners = tuple(listeners)
        self.clock = Clock(max(start, opening.latest))
        self.unplaced = opening.unplaced
        self._books = books
        self.ways = Walkways(plan)
        self.items = Items(opening, self.ways)
        self.walkers = Walkers(SHOPPERS + EMPLOYEES)
        seed = settings.seed
        self.shoppers = Shoppers(seed, self.clock, self.ways, self.items, self.walkers)
        self.staff = Staff(self.clock, self.ways, self.items, self.walkers)
        self._readers = Readers(Scanner(seed), self.items, self.walkers)
        self._kept: list[Seen] = []
        self._kept_since = self.clock.began
        self._last_snapshot: int | None = None
        self._employee = np.arange(SHOPPERS + EMPLOYEES) >= SHOPPERS

    @property
    def is_over(self) -> bool:
        """Whether the duration asked for has passed."""
        duration = self.settings.duration
        return duration is not None and self.clock.seconds >= duration

    def step(self) -> None:
        """Move on by one tick."""
        settings, now = self.settings, self._begin()
        self.shoppers.arrive(settings.behaviour, settings.disappearance)
        self.staff.on_duty(settings.behaviour.employees)
        for place in self.walkers.move(TICK_MS / 1000, now):
            (self.shoppers if place < SHOPPERS else self.staff).go_on(place)
        self._book()
        self._read()
        if settings.analytics:
            self._keep(now)
            self._note_stock(now)
        self._tell_positions(now)
        if now % _CLEARED_MS == 0:
            self.items.clear_away()

    def close(self) -> None:
        """Put what waits to be kept into the books. Whoever still shops leaves things behind."""
        self._flush()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` every event from now on; what is returned ends that."""
        # Replaced as a whole: another thread may be telling them something.
        self._listeners = (*self._listeners, listener)

        def end() -> None:
            self._listeners = tuple(one for one in self._listeners if one is not listener)

        return end

    def tell(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)

    def _begin(self) -> int:
        self.clock.tick()
        self.tally.steps += 1
        return self.clock.now

    def _book(self) -> None:
        deeds, self.shoppers.done = self.shoppers.done, []
        for deed in deeds:
            if isinstance(deed, Checkout):
                self._sell(deed)
            else:
                self.tell(deed)
        shelved, self.staff.done = self.staff.done, []
        for load in shelved:
            self._shelve(load)

    def _sell(self, deed: Checkout) -> None:
        items, now = self.items, self.clock.now
        self.tally.baskets += 1
        basket = f"SIM-{self.clock.began}-{self.tally.baskets:06}"
        rows = items.rows(deed.items)
        sold = self._books.sell(deed.items, now, basket)
        bought = rows[sold]
        products, prices = items.product[bought], items.price[items.product[bought]]
        self.tally.sold += len(bought)
        self.tally.revenue += int(prices.sum())
        sale = Sale(
            now,
            deed.shopper,
            basket,
            items.id[bought],
            items.tag[bought],
            items.product_id[products],
            prices,
        )
        self._let_go(bought, rows[~sold], "sale", sale)

    def _steal(self, rows: I64) -> None:
        noticed = self._books.steal(self.items.id[rows], self.clock.now)
        self.tally.stolen += int(noticed.sum())
        self._let_go(rows[noticed], rows[~noticed], "stolen", None)

    def _let_go(self, rows: I64, refused: I64, reason: str, sale: Sale | None) -> None:
        """The books have let `rows` go; those refused had gone before, for another reason."""
        if len(refused):
            self.tally.refused += len(refused)
            self.items.leave(refused)
        if not len(rows):
            return
        products, change, on_hand = self.items.leave(rows)
        if sale is not None:
            self.tell(sale)
        ids, basket = self.items.product_id[products], sale.basket if sale is not None else ""
        self.tell(StockChanged(self.clock.now, reason, ids, change, on_hand, basket))

    def _shelve(self, load: Shelved) -> None:
        items, now = self.items, self.clock.now
        ids = items.product_id[load.products]
        new = self._books.restock(ids, load.x, load.y, load.zone, now)
        items.bring(new, load.products, load.x, load.y, load.zone)
        self.tally.restocked += len(ids)
        products, number = np.unique(load.products, return_counts=True)
        self.tell(
            StockChanged(
                now,
                "restock",
                items.product_id[products],
                number.astype(np.int64),
                items.on_hand[products],
            )
        )

    def _read(self) -> None:
        items, now = self.items, self.clock.now
        for number in range(EMPLOYEES):
            place = SHOPPERS + number
            if not (self.walkers.here[place] and self._readers.is_due(number, now)):
                continue
            cycle = self._readers.cycle(number, place, now)
            self.tally.detections += len(cycle.detections.items)
            self.tell(cycle.detections)
            if self.settings.analytics:
                kept = self._readers.to_keep(cycle.detections)
                self._kept += [kept] if kept is not None else []
            verdict = cycle.verdict
            if len(verdict.missing):
                self.tell(Missing(now, items.id[verdict.missing], items.tag[verdict.missing]))
            if len(verdict.found):
                self.tell(Found(now, items.id[verdict.found], items.tag[verdict.found]))
            off = verdict.to_look_for[items.state[verdict.to_look_for] == CARRIED_OFF]
            if len(off):
                self._steal(off)

    def _keep(self, now: int) -> None:
        if now - self._kept_since >= _KEPT_AT_ONCE_MS:
            self._flush()
            self._kept_since = now

    def _flush(self) -> None:
        if self._kept:
            kept, self._kept = self._kept, []
            self._books.see(kept)

    def _note_stock(self, now: int) -> None:
        last, interval = self._last_snapshot, self.settings.snapshot_interval * 1000
        if last is not None and now < last + interval:
            return
        self._flush()
        products = self._books.snapshot(now)
        self._last_snapshot = now
        self.tally.snapshots += 1
        self.tell(SnapshotTaken(now, products, int(self.items.on_hand.sum())))

    def _tell_positions(self, now: int) -> None:
        walkers = self.walkers
        here = np.flatnonzero(walkers.here)
        self.tell(
            Positions(
                now, walkers.who[here], self._employee[here], walkers.x[here], walkers.y[here]
            )
        )

    @property
    def present(self) -> int:
        """Items that the books count as present and that have a place."""
        return int((self.items.state != GONE).sum())

    @property
    def missing(self) -> int:
        """Items that are missing."""
        return int(self.items.missing.sum())
