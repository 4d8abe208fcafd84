"""Problems on the line are those that were asked for, the same each time, and told truly."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from played import HOUR, START, Played, at

from retail_datagen.config.errors import UserError
from retail_datagen.schema.stamps import Stamped
from retail_datagen.sinks import EventSink
from retail_datagen.sinks.memory import MemorySink
from retail_datagen.streaming.clock import LeapingClock
from retail_datagen.streaming.follow import Follow, run_follow
from retail_datagen.streaming.line import Line
from retail_datagen.streaming.problems import problems_of
from retail_datagen.streaming.told import Tally
from retail_datagen.streaming.trouble import TroubledLine
from retail_datagen.streaming.truth import TABLE, Truth

Event = tuple[str, int, str]
"""event_id, instant, table"""


class Heard(MemorySink):
    """Keeps everything in the order of arrival, with the clock's time of arrival."""

    def __init__(self, clock: Callable[[], int]) -> None:
        super().__init__()
        self._clock = clock
        self.arrived: list[tuple[int, Event]] = []
        self.damaged: list[tuple[Event, bytes]] = []

    def send(self, stamped: Stamped) -> None:
        self.arrived += [(self._clock(), event) for event in events(stamped)]

    def send_raw(self, stamped: Stamped, messages: list[bytes]) -> None:  # type: ignore[override]
        self.damaged += zip(events(stamped), messages, strict=True)


def events(stamped: Stamped) -> list[Event]:
    ids, instants = stamped.event_id.to_pylist(), stamped.instant.tolist()
    return [(i, at, stamped.table.name) for i, at in zip(ids, instants, strict=True)]


def stream(
    played: Played, *problems: str, tick: int = 10_000, hours: int = 24
) -> tuple[Heard, pa.Table, Tally]:
    """A day of the topics with problems: what was heard, and the truth."""
    clock = LeapingClock(at(0))
    heard, truth, tally = Heard(clock.now), MemorySink(), Tally()
    switches = problems_of(problems, seed=3)

    def line(sink: EventSink, began: int) -> Line:
        trouble = TroubledLine(switches, began, Truth(truth)) if switches else None
        return Line([sink], trouble)

    feed = played.feed("topics")
    asked = Follow(
        source=feed.source,
        targets=("test",),
        options=played.options("topics"),
        facts=played.config.paths.facts,
        first_day=START,
        tick_ms=tick,
        duration_ms=hours * HOUR,
    )
    run_follow(asked, lambda there: clock, [tally], sinks=[heard], line_to=line)
    rows = [stamped.rows for stamped in truth.events]
    return heard, pa.concat_tables(rows) if rows else TABLE.arrow.empty_table(), tally


def is_json(message: bytes) -> bool:
    try:
        json.loads(message)
    except ValueError:
        return False
    return True


@pytest.fixture(scope="module")
def sound(played: Played) -> Heard:
    return stream(played)[0]


def of(truth: pa.Table, problem: str) -> list[dict[str, object]]:
    return [row for row in truth.to_pylist() if row["problem"] == problem]


def ids(rows: list[dict[str, object]]) -> set[str]:
    return {str(row["of_event"]) for row in rows}


def everything(heard: Heard) -> list[str]:
    return [event_id for _, (event_id, _, _) in heard.arrived]


def overtaken(heard: Heard) -> set[str]:
    """Events that came after a later one of their table."""
    latest: Counter[str] = Counter()
    found = set()
    for _, (event_id, instant, table) in heard.arrived:
        if instant < latest[table]:
            found.add(event_id)
        latest[table] = max(latest[table], instant)
    return found


def test_without_problems_nothing_is_overtaken(sound: Heard) -> None:
    assert len(everything(sound)) > 800
    assert len(set(everything(sound))) == len(everything(sound))
    assert overtaken(sound) == set()


@pytest.mark.parametrize(("tick", "problem"), [(500, "out_of_order"), (900_000, "late")])
def test_delayed_events_are_those_of_the_truth(
    played: Played, sound: Heard, tick: int, problem: str
) -> None:
    reach = (1, 30) if problem == "out_of_order" else (600, 1200)
    heard, truth, _ = stream(played, f"{problem}=0.05", tick=tick)
    told = of(truth, problem)
    assert sorted(everything(heard)) == sorted(everything(sound))
    assert 0.04 < len(told) / len(everything(heard)) < 0.06
    assert overtaken(heard)
    assert overtaken(heard) <= ids(told)
    delays = [row["arrives_ms"] - row["event_ms"] for row in told]  # type: ignore[operator]
    assert reach[0] * 1000 <= min(delays) <= max(delays) <= reach[1] * 1000
    arrival = {event_id: when for when, (event_id, _, _) in heard.arrived}
    late = [arrival[str(row["of_event"])] - row["arrives_ms"] for row in told]  # type: ignore[operator]
    ended = [int(row["arrives_ms"]) > at(1) for row in told]  # type: ignore[call-overload]
    assert [
        t for t, at_end in zip(late, ended, strict=True) if not at_end and not 0 <= t <= tick
    ] == []
    assert len(told) - sum(ended) > 20


def test_what_is_hit_depends_on_nothing_but_the_event(played: Played) -> None:
    asked = ("out_of_order=0.02", "duplicates=0.02", "gaps=0.05", "malformed=0.01", "bursts=0.02")
    first, second = (stream(played, *asked, tick=tick)[1] for tick in (1000, 3_600_000))
    assert sorted(map(str, first.to_pylist())) == sorted(map(str, second.to_pylist()))
    assert {row["problem"] for row in first.to_pylist()} == {t.partition("=")[0] for t in asked}


def test_duplicates_come_twice(played: Played, sound: Heard) -> None:
    heard, truth, _ = stream(played, "duplicates=0.03")
    counted = Counter(everything(heard))
    assert set(counted) == set(everything(sound))
    assert {event_id for event_id, n in counted.items() if n == 2} == ids(of(truth, "duplicates"))
    assert max(counted.values()) == 2


def test_what_falls_into_a_gap_never_comes(played: Played, sound: Heard) -> None:
    heard, truth, _ = stream(played, "gaps=0.1,300")
    told = of(truth, "gaps")
    assert {row["arrives_ms"] for row in told} == {None}
    assert set(everything(sound)) - set(everything(heard)) == ids(told)
    hit = {int(row["event_ms"]) // 300_000 for row in told}  # type: ignore[call-overload]
    assert not {instant // 300_000 for _, (_, instant, _) in heard.arrived} & hit
    assert 5 < len(hit) < 60


def test_a_burst_holds_back_what_then_comes_together(played: Played, sound: Heard) -> None:
    heard, truth, _ = stream(played, "bursts=0.1,600", tick=1000)
    told = of(truth, "bursts")
    assert sorted(everything(heard)) == sorted(everything(sound))
    arrival = {event_id: when for when, (event_id, _, _) in heard.arrived}
    for row in told:
        assert int(row["arrives_ms"]) % 600_000 == 0  # type: ignore[call-overload]
        assert arrival[str(row["of_event"])] >= int(row["arrives_ms"])  # type: ignore[call-overload]
    assert len(told) > 50


def test_malformed_messages_are_no_json(played: Played, sound: Heard) -> None:
    heard, truth, _ = stream(played, "malformed=0.05")
    told = {str(row["of_event"]): row["detail"] for row in of(truth, "malformed")}
    assert {event_id for (event_id, _, _), _ in heard.damaged} == set(told)
    assert set(everything(heard)) == set(everything(sound)) - set(told)
    assert set(told.values()) == {"cut in half", "empty", "not text", "a quote is missing"}
    for _, message in heard.damaged:
        assert not is_json(message)


def test_a_schema_evolves_while_events_come(played: Played) -> None:
    clock, seen = LeapingClock(at(0)), {}

    class Columns(MemorySink):
        def send(self, stamped: Stamped) -> None:
            assert stamped.rows.column_names == list(stamped.table.header)
            assert stamped.rows.schema.names == stamped.table.arrow.names
            versions = seen.setdefault(stamped.table.name, {})
            version = versions.setdefault(stamped.table.schema_version, (stamped.table.header, []))
            version[1].extend(stamped.instant.tolist())

    truth = MemorySink()
    trouble = TroubledLine(problems_of(["schema=600"], 1), at(0), Truth(truth))
    feed = played.feed("topics")
    asked = Follow(
        feed.source,
        ("test",),
        played.options("topics"),
        played.config.paths.facts,
        START,
        tables=("retail_sales_transactions",),
        tick_ms=HOUR,
        duration_ms=24 * HOUR,
    )
    run_follow(
        asked, lambda there: clock, sinks=[Columns()], line_to=lambda s, _: Line([s], trouble)
    )
    versions = seen["retail_sales_transactions"]
    assert list(versions) == [1, 2, 3]
    (old, first), (added, second), (renamed, third) = versions.values()
    assert added == (*old, "source_system")
    assert set(renamed) - set(added) == {"promo_code_v3"}
    assert max(first) < at(0, 10) <= min(second) <= max(second) < at(0, 20) <= min(third)
    told = [row for stamped in truth.events for row in stamped.rows.to_pylist()]
    assert [row["detail"].partition(":")[0] for row in told] == [
        "schema version 2",
        "schema version 3",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rain=0.1", "problem: 'rain' is not known; allowed are out_of_order, late"),
        ("late", "problem: 'late' is not allowed; give late= and a share from 0.000000001 to 1"),
        ("late=2", "give late= and a share from 0.000000001 to 1, and seconds if wanted"),
        ("late=-0.1", "problem: 'late=-0.1' is not allowed"),
        ("late=0.1,0", "problem: 'late=0.1,0' is not allowed"),
        ("late=nan", "problem: 'late=nan' is not allowed"),
        ("schema=0", "give schema= and minutes from 0.0001 to 1,000,000"),
    ],
)
def test_problems_that_cannot_be_are_refused(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        problems_of([text], 1)


def test_a_problem_twice_is_refused() -> None:
    with pytest.raises(UserError, match="late is given twice"):
        problems_of(["late=0.1", "late=0.2"], 1)


def test_truth_to_a_file_has_a_line_for_each(played: Played, tmp_path: Path) -> None:
    from retail_datagen.sinks.jsonl import JsonlSink

    sink = JsonlSink(str(tmp_path / "truth.jsonl"), append=True)
    trouble = TroubledLine(problems_of(["duplicates=0.1"], 1), at(0), Truth(sink))
    feed = played.feed("hub")
    asked = Follow(
        feed.source,
        ("test",),
        played.options("hub"),
        played.config.paths.facts,
        START,
        tick_ms=HOUR,
        duration_ms=24 * HOUR,
    )
    run_follow(
        asked,
        lambda there: LeapingClock(at(0)),
        sinks=[MemorySink()],
        line_to=lambda s, _: Line([s], trouble),
    )
    sink.close()
    lines = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]
    assert lines
    assert {line["problem"] for line in lines} == {"duplicates"}
    assert all(line["arrives_ms"] > line["event_ms"] for line in lines)
