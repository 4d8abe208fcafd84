"""A simulation for people: in a thread of its own, at their speed, under the store's lease."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy import Engine

from retail_datagen.config.errors import UserError
from retail_datagen.store.database.models import SIMULATION_RUN
from retail_datagen.store.floor import FLOOR
from retail_datagen.store.keeping import KeptLease, this_holder
from retail_datagen.store.ledger import Ledger
from retail_datagen.store.live_books import LedgerBooks
from retail_datagen.store.simulation.clock import TICK_MS, Pacer, local_now, wall
from retail_datagen.store.simulation.events import Listener
from retail_datagen.store.simulation.narrate import Log
from retail_datagen.store.simulation.run import Simulation, Tally
from retail_datagen.store.simulation.settings import Settings

_LOG = logging.getLogger(__name__)
_STOPPED_WITHIN: Final = 30.0


class Held(Protocol):
    """The store's lease, as far as a run needs it."""

    def check(self) -> None:
        """Raise UserError once it is not ours any more."""

    def release(self) -> None:
        """Let the next one in."""


@dataclass(frozen=True, slots=True)
class Status:
    """How a simulation is doing. Times of the simulated clock in ms since 1970, money in cents."""

    state: str
    """running, stopped (when told to), finished (its duration passed) or failed."""
    settings: Settings
    started: datetime
    """Real time, UTC."""
    began: int
    now: int
    real_seconds: float
    shoppers: int
    visitors: int
    turned_away: int
    employees: int
    products: int
    items_present: int
    items_missing: int
    tally: Tally
    error: str = ""

    @property
    def times_real(self) -> float:
        """Simulated seconds to a real one, so far."""
        return (self.now - self.began) / 1000 / max(self.real_seconds, 1e-9)


class LiveRun:
    """A simulation that runs until it is stopped. All methods may be called from any thread."""

    def __init__(
        self,
        simulation: Simulation,
        lease: Held,
        ended: Callable[[], None],
        paced: bool = True,
        real: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin at once. When the run ends, however it does, `ended` is called and the lease
        released."""
        self.log = Log()
        self._simulation = simulation
        self._lease = lease
        self._on_end = ended
        self._paced = paced
        self._real = real
        self._started = datetime.now().astimezone()
        self._began_real = real()
        self._ended_real: float | None = None
        self._state = "running"
        self._error: UserError | None = None
        self._stop = threading.Event()
        self._ended = threading.Event()
        simulation.listen(self.log)
        self._thread = threading.Thread(target=self._run, name="simulation", daemon=True)
        self._thread.start()

    def stop(self) -> Status:
        """Tell it to stop, and wait until it has. Doing it twice is allowed."""
        self._stop.set()
        if threading.current_thread() is not self._thread:
            self._ended.wait(_STOPPED_WITHIN)
        return self.status()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it has ended, for so long at most; whether it has."""
        return self._ended.wait(seconds)

    def raise_if_failed(self) -> None:
        """Raise the UserError that ended it, if one did."""
        if self._error is not None:
            raise self._error

    def change(
        self,
        mode: str | None = None,
        speed: float | None = None,
        disappearance: float | None = None,
        snapshot_interval: int | None = None,
        analytics: bool | None = None,
    ) -> Settings:
        """Go on with other settings from the next step on. Raises UserError for what is wrong."""
        changed = self._simulation.settings.changed(
            mode, speed, disappearance, snapshot_interval, analytics
        )
        if changed != self._simulation.settings:
            self._simulation.settings = changed
            self.log.write(self._simulation.clock.now, f"settings: {changed.in_words()}")
        return changed

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` every event from now on; what is returned ends that.

        It is called in the simulation's thread, which waits meanwhile.
        """
        return self._simulation.listen(listener)

    def status(self) -> Status:
        simulation = self._simulation
        real = (self._ended_real or self._real()) - self._began_real
        return Status(
            state=self._state,
            settings=simulation.settings,
            started=self._started,
            began=simulation.clock.began,
            now=simulation.clock.now,
            real_seconds=real,
            shoppers=simulation.shoppers.inside,
            visitors=simulation.shoppers.visitors,
            turned_away=simulation.shoppers.turned_away,
            employees=simulation.staff.on_floor,
            products=len(simulation.items.product_id),
            items_present=simulation.present,
            items_missing=simulation.missing,
            tally=simulation.tally.copy(),
            error="" if self._error is None else str(self._error),
        )

    def _run(self) -> None:
        try:
            self._go_on()
            self._state = "stopped" if self._stop.is_set() else "finished"
        except UserError as error:
            self._fail(error)
        except Exception as error:  # a thread has nobody above it to tell
            _LOG.exception("the simulation failed")
            self._fail(UserError(f"the simulation failed: {type(error).__name__}: {error}"))
        finally:
            self._ended_real = self._real()
            for last in (self._on_end, self._lease.release):
                try:
                    last()
                except Exception as error:
                    # Where the database failed, that is known already.
                    level = logging.INFO if self._error else logging.WARNING
                    _LOG.log(level, "at the end of the simulation: %s", error)
            self._ended.set()

    def _fail(self, error: UserError) -> None:
        self._error, self._state = error, "failed"
        self.log.write(self._simulation.clock.now, f"ended: {error}")

    def _go_on(self) -> None:
        simulation, pacer = self._simulation, Pacer(self._real)
        while not (self._stop.is_set() or simulation.is_over):
            self._lease.check()
            simulation.step()
            if self._paced:
                left = pacer.wait_for(TICK_MS / 1000, simulation.settings.speed)
                if left > 0:
                    self._stop.wait(left)
        self._lease.check()
        simulation.close()


def start_simulation(
    engine: Engine,
    settings: Settings,
    listeners: Sequence[Listener] = (),
    start: int | None = None,
    paced: bool = True,
    what: str = "simulate",
) -> LiveRun:
    """Take the store's lease, open its books, and begin; `what` names us to who comes second.

    `start` is the simulated clock's first instant in ms since 1970 of the wall clock, else now;
    with `paced` off it runs as fast as it can. The engine must outlive the run. Raises UserError
    where somebody else simulates, and where there is nothing to simulate with.
    """
    lease = KeptLease(engine, this_holder(what))
    try:
        ledger = Ledger(engine)
        first = local_now() if start is None else start
        simulation = Simulation(LedgerBooks(ledger), FLOOR, settings, first, listeners)
        ledger.begin_run(SIMULATION_RUN, asdict(settings), wall(simulation.clock.began))
    except BaseException:
        lease.release()
        raise

    def ended() -> None:
        ledger.end_run(wall(simulation.clock.now))

    return LiveRun(simulation, lease, ended, paced)
