"""Trouble on the line: events are delayed, doubled, lost and broken; the truth is told beside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import numpy as np
import pyarrow as pa

from retail_datagen.core.arrays import I64, U8, Bool
from retail_datagen.schema.stamps import Stamped
from retail_datagen.sinks import EventSink, RawSink
from retail_datagen.streaming.damage import DAMAGES, evolved, what_changed
from retail_datagen.streaming.line import Piece
from retail_datagen.streaming.problems import (
    BURSTS,
    DUPLICATES,
    GAPS,
    LATE,
    MALFORMED,
    OUT_OF_ORDER,
    SCHEMA,
    Problems,
)
from retail_datagen.streaming.truth import Truth

_DAY_SHIFT = 32


@dataclass(frozen=True, slots=True)
class _OnTheWay:
    """Events and when each arrives; `damage` counts from 1 into DAMAGES, 0 is sound: [rows]."""

    stamped: Stamped
    arrives: I64
    damage: U8

    def take(self, rows: I64) -> _OnTheWay:
        return _OnTheWay(self.stamped.take(rows), self.arrives[rows], self.damage[rows])


class TroubledLine:
    """The `Trouble` of a line. `begin` is the instant from which a schema's minutes count."""

    def __init__(
        self,
        problems: Problems,
        begin: int,
        truth: Truth,
        tell: Callable[[str, int], None] = lambda problem, events: None,
    ) -> None:
        self._problems, self._begin, self._truth, self._tell = problems, begin, truth, tell
        self._way: dict[str, list[_OnTheWay]] = {}
        self._versions: dict[str, int] = {}

    def put(self, piece: Piece) -> None:
        """Decide what happens to events; each that is hit stands in the truth at once."""
        stamped = piece.stamped
        keys = (np.int64(piece.day) << _DAY_SHIFT) | piece.row
        arrives = stamped.instant.astype(np.int64).copy()
        there = ~self._lose(stamped)
        self._hold(stamped, arrives, there)
        self._delay(stamped, keys, arrives, there)
        whole = _OnTheWay(stamped, arrives, self._damage(stamped, keys, arrives, there))
        way = self._way.setdefault(stamped.table.name, [])
        way.append(whole if there.all() else whole.take(np.flatnonzero(there)))
        self._double(whole, keys, there, way)

    def _delay(self, stamped: Stamped, keys: I64, arrives: I64, there: Bool) -> None:
        """Events that are not held already arrive after others."""
        problems, name = self._problems, stamped.table.name
        for problem in (OUT_OF_ORDER, LATE):
            hit = problems.hit(problem, name, keys) & there & (arrives == stamped.instant)
            if hit.any():
                delay = problems.delay(problem, name, keys[hit])
                if problem == LATE:
                    delay += problems.known[LATE].seconds * 1000
                arrives[hit] += delay
                self._note(problem, stamped, hit, arrives)

    def _damage(self, stamped: Stamped, keys: I64, arrives: I64, there: Bool) -> U8:
        """What each event suffers: [rows], as `_OnTheWay` counts it."""
        problems, name = self._problems, stamped.table.name
        damage = np.zeros(len(keys), dtype=np.uint8)
        hit = problems.hit(MALFORMED, name, keys) & there
        if hit.any():
            damage[hit] = 1 + problems.choice(MALFORMED, name, keys[hit], len(DAMAGES))
            words = [DAMAGES[code - 1][0] for code in damage[hit]]
            self._note(MALFORMED, stamped, hit, arrives, words)
        return damage

    def _double(self, whole: _OnTheWay, keys: I64, there: Bool, way: list[_OnTheWay]) -> None:
        """Sound events arrive once more, later."""
        problems, name = self._problems, whole.stamped.table.name
        again = problems.hit(DUPLICATES, name, keys) & there & (whole.damage == 0)
        if again.any():
            copies = whole.take(np.flatnonzero(again))
            later = copies.arrives + problems.delay(DUPLICATES, name, keys[again])
            second = whole.arrives.copy()
            second[again] = later
            way.append(_OnTheWay(copies.stamped, later, copies.damage))
            self._note(DUPLICATES, whole.stamped, again, second)

    def deliver(self, sinks: Sequence[EventSink], now: int | None) -> None:
        """Send what arrives by `now`, in the order of arrival; with None, all that is left."""
        for name in list(self._way):
            for ready in self._ready(name, now):
                for run, version, damage in self._runs(ready):
                    shown = evolved(run, version)
                    for sink in sinks:
                        if damage is None:
                            sink.send(shown)
                        else:
                            raw = cast(RawSink, sink)
                            sound = raw.messages(shown)
                            broken = [
                                DAMAGES[code - 1][1](message)
                                for code, message in zip(damage, sound, strict=True)
                            ]
                            raw.send_raw(shown, broken)
        self._truth.commit()

    def next_arrival(self) -> int | None:
        ways = [way.arrives for ways in self._way.values() for way in ways if len(way.arrives)]
        return min((int(arrives.min()) for arrives in ways), default=None)

    def _lose(self, stamped: Stamped) -> Bool:
        lost = self._by_interval(GAPS, stamped.instant)
        if lost.any():
            self._note(GAPS, stamped, lost, None)
        return lost

    def _hold(self, stamped: Stamped, arrives: I64, there: Bool) -> None:
        held = self._by_interval(BURSTS, stamped.instant) & there
        if held.any():
            reach = self._problems.known[BURSTS].seconds * 1000
            arrives[held] = (stamped.instant[held] // reach + 1) * reach
            self._note(BURSTS, stamped, held, arrives)

    def _by_interval(self, problem: str, instant: I64) -> Bool:
        """Whether each event lies in an interval that is hit, which all tables are together."""
        if problem not in self._problems.known:
            return np.zeros(len(instant), dtype=np.bool_)
        reach = self._problems.known[problem].seconds * 1000
        return self._problems.hit(problem, "", instant // reach)

    def _ready(self, name: str, now: int | None) -> Iterator[_OnTheWay]:
        """What of a table has arrived, in one piece; the rest stays on its way."""
        parts, left = [], []
        for way in self._way[name]:
            arrived = (
                np.ones(len(way.arrives), dtype=np.bool_) if now is None else way.arrives <= now
            )
            if arrived.all():
                parts.append(way)
            elif arrived.any():
                parts.append(way.take(np.flatnonzero(arrived)))
                left.append(way.take(np.flatnonzero(~arrived)))
            else:
                left.append(way)
        self._way[name] = left
        parts = [part for part in parts if len(part.arrives)]
        if parts:
            joined = parts[0] if len(parts) == 1 else _joined(parts)
            if (np.diff(joined.arrives) < 0).any():
                joined = joined.take(np.argsort(joined.arrives, kind="stable"))
            yield joined

    def _runs(self, ready: _OnTheWay) -> Iterator[tuple[Stamped, int, U8 | None]]:
        """Events in the same version that are all sound, or all broken: with each one's damage."""
        version = self._version(ready.stamped)
        sort = version * 2 + (ready.damage > 0)
        edges = [0, *(np.flatnonzero(np.diff(sort)) + 1).tolist(), len(sort)]
        for first, end in pairwise(edges):
            damage = ready.damage[first:end]
            yield (
                ready.stamped.slice(first, end - first),
                int(version[first]),
                damage if damage[0] else None,
            )

    def _version(self, stamped: Stamped) -> I64:
        """In which version each event is told: [rows]. The first of each stands in the truth."""
        if SCHEMA not in self._problems.known:
            return np.zeros(len(stamped.instant), dtype=np.int64)
        every = round(self._problems.known[SCHEMA].amount * 60_000)
        version: I64 = np.clip((stamped.instant - self._begin) // every, 0, 2)
        name = stamped.table.name
        for found in range(self._versions.get(name, 0) + 1, int(version.max()) + 1):
            first = np.zeros(len(version), dtype=np.bool_)
            first[np.flatnonzero(version >= found)[0]] = True
            self._note(SCHEMA, stamped, first, stamped.instant, [what_changed(stamped, found)])
            self._versions[name] = found
        return version

    def _note(
        self,
        problem: str,
        stamped: Stamped,
        hit: Bool,
        arrives: I64 | None,
        words: Sequence[str] = (),
    ) -> None:
        rows = np.flatnonzero(hit)
        self._truth.note(
            problem, stamped.take(rows), None if arrives is None else arrives[rows], words
        )
        self._tell(problem, len(rows))


def _joined(parts: Sequence[_OnTheWay]) -> _OnTheWay:
    """Parts of one table, one after the other."""
    rows = pa.concat_tables([part.stamped.rows for part in parts]).unify_dictionaries()
    ids = pa.concat_arrays([part.stamped.event_id for part in parts])
    instant = np.concatenate([part.stamped.instant for part in parts])
    stamped = Stamped(parts[0].stamped.table, rows.combine_chunks(), ids, instant)
    return _OnTheWay(
        stamped,
        np.concatenate([part.arrives for part in parts]),
        np.concatenate([part.damage for part in parts]),
    )
