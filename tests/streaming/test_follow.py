"""Live play at event time: whatever the moment of a switch, a stop or a crash, one history."""

from __future__ import annotations

import os
import random
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from played import DAY, HOUR, START, ZONE, Played, at, send
from remembering import Killed, RememberingMemory, SimulatedClock, Store

from retail_datagen.config.errors import UserError
from retail_datagen.engine.stop import JobStopped
from retail_datagen.sinks import SinkError
from retail_datagen.sinks.memory import MemorySink
from retail_datagen.streaming.clock import LeapingClock
from retail_datagen.streaming.days import local_day
from retail_datagen.streaming.feed import Chosen
from retail_datagen.streaming.follow import Follow, run_follow
from retail_datagen.streaming.told import Tally


def asked(played: Played, feed: Chosen, **more: object) -> Follow:
    told = {
        "source": feed.source,
        "targets": ("test",),
        "options": played.options(feed.feed),
        "facts": played.config.paths.facts,
        "first_day": START,
        "tick_ms": HOUR,
    }
    return Follow(**(told | more))  # type: ignore[arg-type]


def play(
    played: Played, feed: Chosen, store: Store, begin: int, end: int, **more: object
) -> SimulatedClock:
    clock = SimulatedClock(begin)
    sink = RememberingMemory(store, ZONE)
    run_follow(asked(played, feed, until=end, **more), lambda there: clock, sinks=[sink])
    return clock


def test_days_that_are_played_are_those_that_are_sent_at_once(played: Played, feed: Chosen) -> None:
    store = Store()
    play(played, feed, store, at(0), at(4))
    assert store.digest() == played.digest(feed, 4)
    assert all(progress.is_whole for progress in store.progress.values())
    assert store.commits > 4 * 5


@pytest.mark.parametrize("hour", [0.0, 2.5, 11.0, 23.99])
def test_history_and_live_are_one_whatever_the_moment(
    played: Played, feed: Chosen, hour: float
) -> None:
    store = Store()
    send(feed.source, store, range(START, START + 2), played.config.paths.facts)
    play(played, feed, store, at(2, hour), at(4))
    assert store.digest() == played.digest(feed, 4)


def test_no_row_goes_before_it_is_due_nor_much_later(played: Played) -> None:
    feed, store = played.feed("topics"), Store()
    clock = SimulatedClock(at(0))
    late = []

    class Watching(RememberingMemory):
        def commit(self) -> None:
            rows = [int(i) for stamped in self._rows for i in stamped.instant]
            late.extend(clock.now() - instant for instant in rows)
            super().commit()

    run_follow(
        asked(played, feed, until=at(2), tick_ms=60_000),
        lambda there: clock,
        sinks=[Watching(store, ZONE)],
    )
    assert min(late) >= 0
    assert max(late) <= 60_000
    assert store.digest() == played.digest(feed, 2)


def test_tables_keep_step_and_rows_their_order(played: Played) -> None:
    feed, store = played.feed("topics"), Store()
    play(played, feed, store, at(3, 12), at(3, 13))
    for table in feed.source.tables:
        assert store.of(table) == sorted(store.of(table))
    # What was overdue goes in slices of its time, not table by table.
    today = [event for event in store.events if event[2] >= at(3)]
    assert (
        max(
            max(instant for _, _, instant, _ in today[:place]) - instant
            for place, (_, _, instant, _) in enumerate(today)
            if place
        )
        <= HOUR
    )


@pytest.mark.parametrize("seed", range(6))
def test_killed_anywhere_and_started_again_it_is_one_history(played: Played, seed: int) -> None:
    dice = random.Random(seed)
    feed = played.feed(dice.choice(["topics", "hub", "facts"]))
    store, now, end = Store(), at(0, dice.uniform(0, 20)), at(4)
    if seed % 2:
        send(feed.source, store, range(START, START + 1), played.config.paths.facts)
        now = max(now, at(1))
    for _ in range(12):
        how = dice.choice(["clock", "commit", "after commit"])
        clock = SimulatedClock(now, now + dice.randrange(9 * HOUR) if how == "clock" else None)
        fails_at = -1 if how == "clock" else dice.randrange(1, 8)
        sink = RememberingMemory(store, ZONE, fails_at, lasts=how == "after commit")
        with suppress(Killed, SinkError):
            run_follow(asked(played, feed, until=end), lambda there, c=clock: c, sinks=[sink])
        now = min(clock.now() + dice.randrange(8 * HOUR), end)
        ids = [event_id for _, event_id, _, _ in store.events]
        assert len(ids) == len(set(ids))
    play(played, feed, store, now, end)
    assert store.digest() == played.digest(feed, 4)


def test_what_is_committed_as_a_signal_comes_is_told_up_to_its_last_event(played: Played) -> None:
    feed, store, tally = played.feed("topics"), Store(), Tally()

    class Interrupted(RememberingMemory):
        def commit(self) -> None:
            is_first = not store.events
            super().commit()
            if is_first and store.events:
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(JobStopped):
        run_follow(
            asked(played, feed, until=at(2)),
            lambda there: SimulatedClock(at(0)),
            [tally],
            sinks=[Interrupted(store, ZONE)],
        )
    assert tally.events == len(store.events) > 0
    assert tally.until == max(instant for _, _, instant, _ in store.events)


def test_a_break_is_filled_or_left_out_as_asked(played: Played) -> None:
    feed = played.feed("topics")
    whole = played.digest(feed, 4)
    filled, skipped = Store(), Store()
    for store, on_gap in ((filled, "fill"), (skipped, "skip")):
        play(played, feed, store, at(0), at(0, 15))
        play(played, feed, store, at(2, 9), at(4), on_gap=on_gap)
    assert filled.digest() == whole
    assert skipped.digest() != whole
    times = [instant for _, _, instant, _ in skipped.events]
    assert not [instant for instant in times if at(0, 15) < instant < at(2, 9)]
    days = {local_day(instant, ZONE) - START for instant in times}
    assert days == {0, 2, 3}
    # What lacks is filled afterwards by a plain backfill of the days.
    send(feed.source, skipped, range(START, START + 4), played.config.paths.facts)
    assert skipped.digest() == whole


def test_where_nothing_was_a_stream_that_skips_begins_now(played: Played) -> None:
    feed, store = played.feed("topics"), Store()
    play(played, feed, store, at(1, 9), at(1, 12), first_day=START + 1, on_gap="skip")
    assert store.events
    assert min(instant for _, _, instant, _ in store.events) >= at(1, 9)


def test_a_clock_that_leaps_plays_all_of_it(played: Played) -> None:
    feed, store = played.feed("hub"), Store()
    told = asked(played, feed, duration_ms=4 * DAY - HOUR)  # Clocks went forward.
    sink = RememberingMemory(store, ZONE)
    tally = Tally()
    run_follow(told, lambda there: LeapingClock(at(0)), [tally], sinks=[sink])
    assert store.digest() == played.digest(feed, 4)
    assert tally.events == len(store.events)
    assert tally.days == 4


def test_a_clock_hears_until_when_history_goes(played: Played) -> None:
    feed, store, heard = played.feed("topics"), Store(), []

    def clock(there: int | None) -> LeapingClock:
        heard.append(there)
        return LeapingClock(at(0) if there is None else there)

    for _ in range(3):
        told = asked(played, feed, duration_ms=16 * HOUR)
        run_follow(told, clock, sinks=[RememberingMemory(store, ZONE)])
    assert heard[0] is None
    assert at(0, 16) < heard[1] <= at(0, 24)
    assert heard[1] + 16 * HOUR < heard[2] <= heard[1] + 20 * HOUR


def test_several_targets_are_played_side_by_side(played: Played) -> None:
    feed, ahead, behind = played.feed("topics"), Store(), Store()
    send(feed.source, ahead, range(START, START + 1), played.config.paths.facts)
    clock = SimulatedClock(at(1, 3))
    run_follow(
        asked(played, feed, targets=("a", "b"), until=at(2)),
        lambda there: clock,
        sinks=[RememberingMemory(ahead, ZONE), RememberingMemory(behind, ZONE)],
    )
    assert ahead.digest() == behind.digest() == played.digest(feed, 2)


def test_sinks_that_remember_nothing_hear_what_happens_now(played: Played) -> None:
    feed, sink = played.feed("topics"), MemorySink()
    clock = SimulatedClock(at(0, 9))
    run_follow(asked(played, feed, until=at(1)), lambda there: clock, sinks=[sink])
    times = [int(i) for stamped in sink.events for i in stamped.instant]
    assert min(times) >= at(0, 9)
    store = Store()
    play(played, feed, store, at(0), at(1))
    expected = {event_id for _, event_id, instant, _ in store.events if instant >= at(0, 9)}
    assert {i for stamped in sink.events for i in stamped.event_id.to_pylist()} == expected


def test_what_cannot_be_played_is_told(played: Played, tmp_path: Path) -> None:
    feed = played.feed("topics")
    with pytest.raises(UserError, match="on-gap: 'leave' is not known; allowed are fill, skip"):
        play(played, feed, Store(), at(0), at(1), on_gap="leave")
    with pytest.raises(UserError, match="start: 2031-01-01 is outside of the calendar"):
        play(played, feed, Store(), at(0), at(1), first_day=22_280)
    with pytest.raises(UserError, match="takes whole days, no streams"):
        run_follow(
            asked(played, feed, targets=(str(tmp_path / "files"),)), lambda there: LeapingClock(0)
        )
