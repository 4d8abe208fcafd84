"""Live play: the mix and the waits that are asked for, and events that are the retailer's facts."""

from __future__ import annotations

import os
import signal
from collections import Counter, defaultdict
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from played import DAY, HOUR, START, ZONE, Played, at
from remembering import SimulatedClock

from retail_datagen.config.errors import UserError
from retail_datagen.core.rng import Stream
from retail_datagen.engine.stop import JobStopped
from retail_datagen.schema.stamps import Stamped
from retail_datagen.sinks.memory import MemorySink
from retail_datagen.streaming.chosen import KINDS, select
from retail_datagen.streaming.days import Days, local_day, local_time
from retail_datagen.streaming.line import Line
from retail_datagen.streaming.live import Live, Stage, run_live, staged
from retail_datagen.streaming.pace import Bursts, Deltas, Pace, Rate
from retail_datagen.streaming.scenario import scenario_day, sim_start_of
from retail_datagen.streaming.sold import updates_of_sales
from retail_datagen.streaming.told import Tally

SALES, UPDATES = KINDS["sales"], KINDS["inventory"]
MIX = {"sales": 0.5, "inventory": 0.2, "customer": 0.15, "price_change": 0.1, "restock": 0.05}
IDENTIFIERS = {"transaction_id", "update_id", "reference_id", "change_id", "alert_id"}
NOW = at(5, 10)
MakePace = Callable[[Stage], Pace]


def deltas(least: float = 10, most: float = 60) -> MakePace:
    return lambda stage: Deltas(least, most, stage.stream("waits"))


def asked(played: Played, feed: str = "topics", **more: object) -> Live:
    told = {
        "source": played.feed(feed).source,
        "facts": played.config.paths.facts,
        "zone": ZONE,
        "seed": played.config.seed,
        "shares": MIX if feed == "topics" else None,
    }
    return Live(**(told | more))  # type: ignore[arg-type]


class Said:
    """Keeps the numbers and kinds of events."""

    def __init__(self, said: list[str]) -> None:
        self._said = said

    def __call__(self, kind: str, number: int) -> None:
        self._said.append(f"#{number}: {kind}")

    def wait(self, seconds: float) -> None:
        """Another test's."""


def live(
    played: Played,
    pace: MakePace,
    minutes: float,
    clock: SimulatedClock | None = None,
    **more: object,
) -> tuple[list[Stamped], SimulatedClock, list[str]]:
    """The events of so many minutes, the clock, and what was said of them."""
    clock = clock or SimulatedClock(NOW)
    sink, said = MemorySink(), []
    told = asked(played, duration_ms=round(minutes * 60_000), **more)
    run_live(
        told,
        pace,
        lambda began: Line([sink]),
        clock,
        narrator=Said(said),
    )
    return sink.events, clock, said


@pytest.fixture(scope="module")
def day(played: Played) -> tuple[list[Stamped], SimulatedClock, list[str]]:
    return live(played, deltas(), 10 * 60)


Day = tuple[list[Stamped], SimulatedClock, list[str]]


def test_waits_are_as_asked(day: Day) -> None:
    waits = np.array(day[1].waits[:-1]) / 1000
    assert len(waits) > 900
    assert 10 <= waits.min() < 10.5
    assert 59.5 < waits.max() <= 60
    assert abs(waits.mean() - 35) < 1
    quarters, _ = np.histogram(waits, 5, (10, 60))
    assert (abs(quarters / len(waits) - 0.2) < 0.05).all()


def test_selections_are_as_asked(day: Day) -> None:
    said = Counter(line.partition(": ")[2] for line in day[2])
    total = said.total()
    words = ("sale", "inventory_update", "customer_event", "price_change", "restock_alert")
    assert set(said) == set(words)
    for word, share in zip(words, MIX.values(), strict=True):
        assert abs(said[word] / total - share) < 4 * (share / total) ** 0.5
    assert [line.partition(":")[0] for line in day[2][:3]] == ["#1", "#2", "#3"]


def test_what_is_committed_as_a_signal_comes_is_told(played: Played) -> None:
    class Interrupted(MemorySink):
        def commit(self) -> None:
            is_first = not self.events
            super().commit()
            if is_first:
                os.kill(os.getpid(), signal.SIGINT)

    sink, tally = Interrupted(), Tally()
    with pytest.raises(JobStopped):
        run_live(asked(played), deltas(), lambda began: Line([sink]), SimulatedClock(NOW), [tally])
    assert tally.events == sum(sent.rows.num_rows for sent in sink.events) > 0


def test_event_time_is_the_moment_of_sending(day: Day) -> None:
    moments = NOW + np.cumsum([0, *day[1].waits])[:-1]
    sent = [int(stamped.instant[0]) for stamped in day[0]]
    assert sorted(set(sent)) == sorted(moments.tolist())
    for stamped in day[0]:
        local = local_time(int(stamped.instant[0]), ZONE).replace(microsecond=0)
        assert stamped.rows["timestamp"].to_pylist() == [local] * stamped.rows.num_rows


def test_every_sale_has_its_update(day: Day) -> None:
    by_moment = defaultdict(dict)
    for stamped in day[0]:
        by_moment[int(stamped.instant[0])][stamped.table.name] = stamped.rows.to_pylist()[0]
    sales = [told for told in by_moment.values() if SALES in told]
    assert len(sales) > 400
    for told in sales:
        sale, update = told[SALES], told[UPDATES]
        assert update["reason"] == "sale"
        assert update["quantity_change"] == -sale["quantity"]
        assert (update["store_id"], update["product_id"]) == (sale["store_id"], sale["product_id"])
    alone = [told[UPDATES] for told in by_moment.values() if UPDATES in told and SALES not in told]
    assert {"receipt", "return"} & {update["reason"] for update in alone}


def test_events_are_facts_each_sent_once(played: Played, day: Day) -> None:
    found: dict[str, list[str]] = defaultdict(list)
    ids: list[str] = []
    for stamped in day[0]:
        for event_id in stamped.event_id.to_pylist():
            lead, _, fact = event_id.partition("-")
            assert lead == f"live{int(stamped.instant[0])}"
            found[stamped.table.name].append(fact)
            ids.append(event_id)
    assert len(ids) == len(set(ids))
    with staged(asked(played), SimulatedClock(NOW)) as stage:
        days = stage._days
        for table, facts in found.items():
            assert len(facts) == len(set(facts)), table
            rows = {day: days.rows(table, day) for day in {_day(fact) for fact in facts}}
            for stamped in [s for s in day[0] if s.table.name == table][:50]:
                fact = str(stamped.event_id[0]).partition("-")[2]
                known = rows[_day(fact)].slice(int(fact[-8:]), 1).to_pylist()[0]
                told = stamped.rows.to_pylist()[0]
                for fresh in ("timestamp", "event_id"):
                    known.pop(fresh, None), told.pop(fresh, None)
                for name in IDENTIFIERS & known.keys():
                    known[name] += f"-{NOW}"
                assert told == known


def _day(fact: str) -> int:
    text = fact[-17:-9]
    return int(np.datetime64(f"{text[:4]}-{text[4:6]}-{text[6:]}", "D").astype(int))


def test_the_hour_that_is_played_is_the_one_that_is_asked_for(played: Played) -> None:
    start = sim_start_of("2024-11-29T17:00", ZONE)
    events, _, _ = live(played, deltas(), 30, sim_start=start)
    sales = [str(s.event_id[0]).partition("-")[2] for s in events if s.table.name == SALES]
    assert {fact[-17:-9] for fact in sales} == {"20241129"}
    with staged(asked(played, sim_start=start), SimulatedClock(NOW)) as stage:
        times = stage._days.rows(SALES, _day(sales[0]))["timestamp"].to_pylist()
    assert {times[int(fact[-8:])].hour for fact in sales} <= {17, 18}
    assert times[int(sales[0][-8:])].hour == 17


def test_scenarios_choose_the_busiest_hour_of_their_day(played: Played) -> None:
    for scenario, day in (("weekend", "20240309"), ("black-friday", "20231124")):
        events, _, _ = live(played, deltas(1, 2), 1, scenario=scenario)
        facts = [str(s.event_id[0]).partition("-")[2] for s in events if s.table.name == SALES]
        assert facts[0][-17:-9] == day
        with staged(asked(played, scenario=scenario), SimulatedClock(NOW)) as stage:
            times = stage._days.rows(SALES, _day(facts[0]))["timestamp"].to_pylist()
            hours = Counter(time.hour for time in times)
            assert local_time(stage.played, ZONE).hour == min(
                hour for hour, count in hours.items() if count == max(hours.values())
            )
    assert scenario_day("peak-hours", START) == START
    assert scenario_day("weekend", START + 1) == START + 1  # A Saturday.


def test_the_same_moment_gives_the_same_stream(played: Played) -> None:
    first, second = (live(played, deltas(), 30)[0] for _ in range(2))
    other = live(played, deltas(), 30, SimulatedClock(NOW + 1))[0]
    ids = [[s.event_id.to_pylist() for s in events] for events in (first, second, other)]
    assert ids[0] == ids[1]
    assert [s.table.name for s in first] != [s.table.name for s in other]


@pytest.mark.parametrize("feed", ["topics", "facts", "cdc"])
def test_a_stream_that_is_started_again_repeats_no_identifier(played: Played, feed: str) -> None:
    """Though it plays the same hour."""
    found = []
    for clock in (SimulatedClock(NOW), SimulatedClock(NOW + 7)):
        events, _, _ = live(
            played, lambda stage: Rate(600, 500), 0.03, clock, feed=feed, sim_start=at(3, 12)
        )
        keys: dict[str, list[tuple[object, ...]]] = defaultdict(list)
        for stamped in events:
            named = [stamped.rows[name].to_pylist() for name in stamped.table.key]
            keys[stamped.table.name] += zip(*named, strict=True)
        found.append(keys)
    shared = found[0].keys() & found[1].keys()
    assert len(shared) > 3
    for name in shared:
        first, second = found[0][name], found[1][name]
        assert len(first) == len(set(first)), name
        assert not set(first) & set(second), name


def test_what_a_stream_sends_names_each_other(played: Played) -> None:
    events, _, _ = live(
        played, lambda stage: Rate(600, 500), 0.2, feed="facts", sim_start=at(3, 12)
    )
    ids = defaultdict(set)
    for stamped in events:
        if "ReceiptId" in stamped.table.header:
            ids[stamped.table.name] |= set(stamped.rows["ReceiptId"].to_pylist())
    assert len(ids["receipts"] & ids["receipt_lines"]) > 10


def test_a_rate_is_kept(played: Played) -> None:
    events, clock, _ = live(played, lambda stage: Rate(9, 500), 1)
    sent = sum(s.rows.num_rows for s in events if s.table.name != UPDATES)
    on_top = sum(s.rows.num_rows for s in events if s.table.name == SALES)
    updates = sum(s.rows.num_rows for s in events if s.table.name == UPDATES)
    assert sent + updates - on_top == 9 * 60
    assert set(clock.waits) == {500}


def test_what_sending_takes_is_made_up_for() -> None:
    paces: list[Pace] = [Rate(100, 500), Bursts(50, 500)]
    for pace in paces:
        due, now, sent = 0, 0, 0
        while now < 60_000:
            sent += pace.count()
            now += 130  # So long it takes.
            due = pace.next(due, now)
            now = max(now, due)
        assert sent == 6000


def test_a_rate_below_one_a_tick_sends_one_at_a_time(played: Played) -> None:
    _, clock, said = live(played, lambda stage: Rate(0.5, 500), 2)
    assert len(said) == 60
    assert set(clock.waits) == {2000}


def test_bursts_come_together(played: Played) -> None:
    events, clock, _ = live(played, lambda stage: Bursts(100, 500), 0.1, feed="hub")
    together = Counter()
    for stamped in events:
        together[int(stamped.instant[0])] += stamped.rows.num_rows
    assert list(together.values()) == [100] * 12
    assert set(clock.waits) == {500}
    rows = pa.concat_tables([s.rows for s in events]).to_pylist()
    assert {row["transaction_type"] for row in rows} >= {"SALE", "RETURN"}


def test_updates_are_those_of_their_receipts(played: Played) -> None:
    with staged(asked(played), SimulatedClock(NOW)) as stage:
        days: Days = stage._days
        for day in range(START, START + 3):
            sales, updates = days.rows(SALES, day), days.rows(UPDATES, day)
            rows = updates_of_sales(sales, updates)
            assert len(set(rows.tolist())) == sales.num_rows
            told = updates.take(pa.array(rows)).to_pylist()
            traces = defaultdict(set)
            for sale, update in zip(sales.to_pylist(), told, strict=True):
                assert update["timestamp"] == sale["timestamp"]
                traces[sale["transaction_id"]].add(update["reference_id"])
            assert all(len(found) == 1 for found in traces.values())
            assert len({next(iter(found)) for found in traces.values()}) == len(traces)


def test_a_thousand_selections_fit_their_shares() -> None:
    kinds = Counter(select(Stream(1, "test"), MIX, 1000))
    assert 450 <= kinds["sales"] <= 550
    assert set(select(Stream(1, "test"), {"sales": 0.0, "customer": 1.0}, 100)) == {"customer"}


@pytest.mark.parametrize(
    ("least", "most", "message"),
    [
        (60, 10, "min-delta: 60 is more than max-delta, 10"),
        (-1, 10, "min-delta: -1 is not allowed; give seconds from 0"),
        (0, -5, "max-delta: -5 is not allowed"),
        (float("nan"), 5, "min-delta: nan is not allowed"),
    ],
)
def test_waits_that_cannot_be_are_refused(least: float, most: float, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Deltas(least, most, Stream(1, "test"))


def test_what_cannot_be_played_is_told(played: Played) -> None:
    for more, message in (
        ({"scenario": "rush"}, "scenario: 'rush' is not known; allowed are peak-hours, weekend"),
        ({"scenario": "weekend", "sim_start": NOW}, "leave --sim-start out"),
        ({"sim_start": at(5000)}, "sim-start: 2037-.* is outside of the calendar"),
        ({"tables": ("nothing",)}, "tables: 'nothing' is not known"),
    ):
        with pytest.raises(UserError, match=message):
            live(played, deltas(), 1, **more)
    with pytest.raises(UserError, match="rate: 0 is not allowed"):
        Rate(0, 500)
    for text in ("yesterday", "2024-11-29T17:00Z", ""):
        with pytest.raises(UserError, match=r"sim-start: .* is no local time"):
            sim_start_of(text, ZONE)
    assert local_day(sim_start_of("2024-11-29", ZONE), ZONE) == _day("20241129-00000000")
    assert sim_start_of("2024-11-30", ZONE) - sim_start_of("2024-11-29", ZONE) == DAY == 24 * HOUR


def test_facts_that_follow_each_other_are_not_chosen_by_kind(played: Played) -> None:
    with staged(asked(played), SimulatedClock(NOW)) as stage:
        assert [piece.stamped.table.name for piece in stage.next_of("sales")] == [SALES, UPDATES]
    in_order = staged(asked(played, "hub"), SimulatedClock(NOW))
    with in_order as stage, pytest.raises(LookupError, match="sales: facts that follow each"):
        stage.next_of("sales")
