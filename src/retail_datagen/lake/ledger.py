"""Keeps checkpoint and identifier state: put right when a job begins, moved on chunk by chunk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from retail_datagen.core.calendar import to_date
from retail_datagen.engine.jobstore import JobStore
from retail_datagen.engine.planning import PlanWalk
from retail_datagen.engine.source import Plan, Retailer
from retail_datagen.lake.events import Chunk, StateCorrected
from retail_datagen.lake.state import (
    IdState,
    read_checkpoint,
    read_id_state,
    write_checkpoint,
    write_id_state,
)
from retail_datagen.lake.target import LakeTarget


class PlannedIds:
    """The last identifiers after a day, as its plan has them."""

    def __init__(
        self, store: JobStore, retailer: Retailer, start: int, ids_after: Callable[[Plan], IdState]
    ) -> None:
        self._store, self._retailer, self._start = store, retailer, start
        self._ids_after = ids_after

    def known(self, day: int) -> IdState | None:
        """None where the day has no plan on this machine."""
        if not self._store.plans.has(day):
            return None
        return self._ids_after(self._retailer.read_plan(self._store.plans.read(day)))

    def found(self, day: int) -> IdState | None:
        """As `known`, after planning what is missing. Only while no job plans."""
        walk = PlanWalk(self._store, self._retailer, self._start, [day])
        while walk.remaining:
            walk.step()
        return self.known(day)


class Ledger:
    """The two files of one job. One thread at a time may use it."""

    def __init__(
        self, checkpoint: Path, id_state: Path, ids: PlannedIds | None, chunks: Sequence[Chunk]
    ) -> None:
        self._checkpoint = checkpoint
        self._id_state = id_state
        self._ids = ids
        self._chunks = chunks
        self._closed: set[int] = set()
        self._next = 0
        self._day: int | None = None

    def correct(self, day: int | None) -> list[StateCorrected]:
        """Make both files say what the target has until `day`, and tell what they had said."""
        self._day = day
        found = []
        was = read_checkpoint(self._checkpoint)
        if was != day:
            write_checkpoint(self._checkpoint, day)
            found.append(StateCorrected(str(self._checkpoint), _date(was), _date(day)))
        if self._ids:
            known = self._ids.known(day) if day is not None else None
            before = read_id_state(self._id_state)
            if before != known:
                write_id_state(self._id_state, known)
                found.append(StateCorrected(str(self._id_state), _ids(before), _ids(known)))
        return found

    def close(self, chunk: Chunk) -> None:
        """A chunk is published: move on, as far as all chunks before are, too. Raises UserError."""
        self._closed.add(chunk.number)
        day = self._day
        while self._next < len(self._chunks) and self._chunks[self._next].number in self._closed:
            last = self._chunks[self._next].last_day
            # Where an earlier range already reached beyond it, nothing is taken back.
            day = last if day is None else max(day, last)
            self._next += 1
        if day is not None and day != self._day:
            self._write(day)

    def finish(self) -> None:
        """All is published: the state of the last day, planned again where no plan is left."""
        if self._ids and self._day is not None:
            write_id_state(self._id_state, self._ids.found(self._day))

    def _write(self, day: int) -> None:
        known = self._ids.known(day) if self._ids else None
        if known:
            write_id_state(self._id_state, known)
        write_checkpoint(self._checkpoint, day)
        self._day = day


def completed_through(target: LakeTarget, tables: Collection[str]) -> int | None:
    """The last day until which each day since the first has all of these tables."""
    there = Counter(day for day, _ in target.days(tables))
    if not there:
        return None
    day = min(there)
    while there[day] == len(tables):
        day += 1
    return day - 1 if there[day - 1] == len(tables) else None


def _date(day: int | None) -> str:
    return "" if day is None else to_date(day).isoformat()


def _ids(state: IdState | None) -> str:
    if state is None:
        return ""
    return f"cart {state.last_cart_id}, order {state.last_order_id}, return {state.last_return_id}"
