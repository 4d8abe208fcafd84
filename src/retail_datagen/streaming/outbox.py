"""Sends what a simulated store tells to targets, beside the simulation and in its order."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final

import numpy as np
from sqlalchemy import Engine, func, select

from retail_datagen.config.errors import UserError
from retail_datagen.sinks import EventSink, StreamOptions
from retail_datagen.store.database import models as m
from retail_datagen.store.simulation.events import Event, Listener
from retail_datagen.streaming.simulated import Goods, StoreEvents
from retail_datagen.streaming.targets import opened

_LOG = logging.getLogger(__name__)
_WAITING: Final = 10_000
"""Events that wait for the targets before the simulation waits, too."""
_TOGETHER_SECONDS: Final = 0.2
_LAST_WORDS_SECONDS: Final = 10.0
_END: Final = None
OpenSinks = Callable[[], AbstractContextManager[Sequence[EventSink]]]


class Outbox:
    """A listener of simulations; what it hears goes to every sink, committed a few times a second.

    Once a target fails, whatever is told raises its UserError, which ends the simulation.
    """

    def __init__(self, events: StoreEvents, open_sinks: OpenSinks) -> None:
        """Raises UserError for a target that cannot be opened."""
        self._events, self._open_sinks = events, open_sinks
        self._waiting: queue.Queue[Event | None] = queue.Queue(_WAITING)
        self._failed: UserError | None = None
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()
        self._opened.wait()
        self._raise_failure()

    def __call__(self, event: Event) -> None:
        while not self._put(event):
            pass  # the simulation waits for its targets

    def close(self) -> None:
        """Send what still waits. Raises UserError where that is not possible."""
        deadline = time.monotonic() + _LAST_WORDS_SECONDS
        while not self._put(_END) and time.monotonic() < deadline:
            pass
        self._thread.join(max(deadline - time.monotonic(), 0))
        self._raise_failure()
        if self._thread.is_alive():
            raise UserError(
                f"to: the target takes nothing; {self._waiting.qsize():,} happenings of the "
                "simulation were not sent, and stand in the store's database alone"
            )

    def _put(self, event: Event | None) -> bool:
        """Leave it for the thread; whether there was room within a moment."""
        self._raise_failure()
        try:
            self._waiting.put(event, timeout=_TOGETHER_SECONDS)
        except queue.Full:
            return False
        return True

    def _raise_failure(self) -> None:
        if self._failed is not None:
            raise self._failed

    def _run(self) -> None:
        # Connections of some databases belong to the thread that opened them.
        try:
            with self._open_sinks() as sinks:
                self._opened.set()
                over = False
                while not over:
                    events = self._some()
                    over = _END in events
                    self._send(sinks, [event for event in events if event is not _END])
        except UserError as error:
            self._failed = error
        except Exception as error:  # a thread has nobody above it to tell
            _LOG.exception("the outbox failed")
            self._failed = UserError(f"to: sending failed: {type(error).__name__}: {error}")
        finally:
            self._opened.set()

    def _some(self) -> list[Event | None]:
        """Everything that waits, once something does, and what follows at once."""
        events = [self._waiting.get()]
        if events != [_END]:
            time.sleep(_TOGETHER_SECONDS)
        while not self._waiting.empty():
            events.append(self._waiting.get_nowait())
        return events

    def _send(self, sinks: Sequence[EventSink], events: Sequence[Event]) -> None:
        rows = [stamped for event in events for stamped in self._events.rows(event)]
        if not rows:
            return
        for sink in sinks:
            for stamped in rows:
                sink.send(stamped)
            sink.commit()


@contextmanager
def sending(
    targets: Sequence[str], options: StreamOptions, engine: Engine, store_id: int
) -> Iterator[tuple[Listener, ...]]:
    """Listeners for a simulation of the store in a database, which send to `targets`: one or none.

    Leaving sends what waits. Raises UserError for a target that cannot be opened or written to.
    """
    if not targets:
        yield ()
        return
    events = StoreEvents(goods_of(engine), run_of(engine), store_id)
    outbox = Outbox(events, lambda: opened(targets, options))
    try:
        yield (outbox,)
    finally:
        outbox.close()


def goods_of(engine: Engine) -> Callable[[], Goods]:
    """What a store sells, as often as it is asked for."""
    columns = m.products.c
    wanted = select(
        columns.id, columns.sku, columns.reorder_threshold, columns.optimal_stock_level
    ).order_by(columns.id)

    def look_up() -> Goods:
        with engine.connect() as connection:
            found = connection.execute(wanted).all()
        return Goods(
            product_id=np.array([row.id for row in found], dtype=np.int64),
            sku=tuple(row.sku for row in found),
            reorder_point=np.array([row.reorder_threshold or 0 for row in found], dtype=np.int64),
            optimal=np.array([row.optimal_stock_level or 0 for row in found], dtype=np.int64),
        )

    return look_up


def run_of(engine: Engine) -> Callable[[], int]:
    """The number of a store's latest run, as often as it is asked for."""

    def look_up() -> int:
        with engine.connect() as connection:
            return connection.scalar(select(func.max(m.runs.c.id))) or 0

    return look_up
