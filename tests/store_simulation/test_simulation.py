"""A simulation against books that allow nothing wrong: rules, shares, and the same every time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_books import START, Digest, MemoryBooks, opening

from retail_datagen.core.arrays import I64
from retail_datagen.store.floor import FLOOR
from retail_datagen.store.simulation.books import Restocked
from retail_datagen.store.simulation.events import (
    AisleWalked,
    Detections,
    Event,
    Found,
    Handled,
    Missing,
    Positions,
    Sale,
    StockChanged,
)
from retail_datagen.store.simulation.items import CARRIED_OFF, GONE, ON_SHELF, Items
from retail_datagen.store.simulation.run import Simulation
from retail_datagen.store.simulation.settings import MODES, Settings
from retail_datagen.store.simulation.shoppers import MOST
from retail_datagen.store.simulation.walkways import Walkways

STEPS_A_SECOND = 8


def run(
    books: MemoryBooks, asked: Settings, seconds: float, *listeners: Any, start: int = START
) -> Simulation:
    simulation = Simulation(books, FLOOR, asked, start, listeners)
    for _ in range(round(seconds * STEPS_A_SECOND)):
        simulation.step()
    simulation.close()
    return simulation


def digest(seed: int, seconds: float = 150, speed: float = 1.0) -> str:
    told = Digest()
    run(MemoryBooks(opening(150, 900)), Settings("stress", speed, seed=seed, analytics=True),
        seconds, told)  # fmt: skip
    return told.value


def check_books(simulation: Simulation, books: MemoryBooks) -> None:
    """What the simulation believes of the books is what they say."""
    items = simulation.items
    known = set(items.id[items.state != GONE].tolist())
    assert known == books.present.keys()
    on_hand = dict(zip(items.product_id.tolist(), items.on_hand.tolist(), strict=True))
    assert on_hand == books.on_hand()
    tally = simulation.tally
    reasons = Counter(books.left.values())
    assert (tally.sold, tally.stolen) == (reasons["sold"], reasons["stolen"])
    assert tally.restocked == books.brought
    assert len(books.present) + len(books.left) + tally.refused == (
        len(books.stock.item_id) + books.brought
    )


def test_a_seed_gives_one_stream_of_events_whatever_the_speed() -> None:
    first = digest(42)
    assert first == digest(42, speed=5.0)
    assert first != digest(43)


def test_the_processor_changes_nothing() -> None:
    script = "from test_simulation import digest; print(digest(42))"
    plain = {**os.environ, "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX"}
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=here, env=plain, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == digest(42), done.stderr


@pytest.mark.parametrize("mode", MODES)
def test_the_books_agree_after_any_mode(mode: str) -> None:
    books = MemoryBooks(opening(100, 1500, threshold=14, optimal=15))
    simulation = run(books, Settings(mode, disappearance=0.05, analytics=True), 400)
    check_books(simulation, books)
    assert simulation.tally.sold > 0
    assert simulation.tally.restocked > 0


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**63 - 1),
    mode=st.sampled_from(sorted(MODES)),
    products=st.integers(1, 60),
    items=st.integers(1, 400),
    threshold=st.integers(0, 8),
    disappearance=st.sampled_from([0.0, 0.015, 0.2, 1.0]),
    refused=st.integers(0, 5),
)
def test_the_books_agree_whatever_happens(
    seed: int,
    mode: str,
    products: int,
    items: int,
    threshold: int,
    disappearance: float,
    refused: int,
) -> None:
    stock = opening(products, items, threshold, threshold + 3)
    books = MemoryBooks(stock, refuses=set(stock.item_id[:refused].tolist()))
    asked = Settings(
        mode, seed=seed, disappearance=disappearance, snapshot_interval=30, analytics=True
    )
    simulation = run(books, asked, 150)
    left_before = {item for item in books.refuses if item not in books.present}
    assert len(left_before) == simulation.tally.refused
    check_books(simulation, books)


@pytest.mark.parametrize("share", [0.005, 0.015, 0.06])
def test_the_share_asked_for_leaves_with_the_shoppers(share: float) -> None:
    walks: list[AisleWalked] = []
    handled: Counter[bool] = Counter()
    bought: list[int] = []

    def listen(event: Event) -> None:
        if isinstance(event, AisleWalked):
            walks.append(event)
        elif isinstance(event, Handled):
            handled[event.picked_up] += 1
        elif isinstance(event, Sale):
            bought.extend(event.items.tolist())

    books = MemoryBooks(opening(500, 10_000, threshold=10, optimal=20))
    simulation = run(books, Settings("stress", disappearance=share), 600, listen)
    offered = sum(walk.within_reach for walk in walks)
    leaving = sum(walk.leaving for walk in walks)
    error = (share * (1 - share) / offered) ** 0.5
    assert abs(leaving / offered - share) < 4 * error
    carried = (simulation.items.state == CARRIED_OFF).sum() + simulation.tally.stolen
    in_hand = handled[True] - handled[False] - len(bought) - carried
    assert 0 <= in_hand <= leaving
    assert len(bought) > 0.9 * (len(bought) + carried)
    assert carried > 0
    # What happens is what was meant to: all that left was decided on at the aisle's end.
    assert len(bought) + carried <= leaving


def test_more_shoppers_come_than_there_may_be_and_no_more_are_in() -> None:
    most = 0
    seen: set[int] = set()

    def listen(event: Event) -> None:
        nonlocal most
        if isinstance(event, Positions):
            shoppers = event.who[~event.employee].tolist()
            most = max(most, len(shoppers))
            seen.update(shoppers)

    simulation = run(MemoryBooks(opening(50, 800)), Settings("stress"), 300, listen)
    assert most == MODES["stress"].most_shoppers == MOST
    assert simulation.shoppers.turned_away > 0
    assert seen == set(range(1, simulation.shoppers.visitors + 1))


def test_positions_come_eight_times_a_second_and_nobody_jumps_or_walks_through_shelves() -> None:
    at: list[int] = []
    last: dict[tuple[bool, int], tuple[float, float]] = {}

    def listen(event: Event) -> None:
        if not isinstance(event, Positions):
            return
        at.append(event.at)
        people = zip(event.employee.tolist(), event.who.tolist(), strict=True)
        for person, x, y in zip(people, event.x.tolist(), event.y.tolist(), strict=True):
            before = last.get(person, (x, y))
            assert np.hypot(x - before[0], y - before[1]) <= 160 / STEPS_A_SECOND + 1e-6
            last[person] = (x, y)

    run(MemoryBooks(opening(50, 800)), Settings("stress"), 120, listen)
    assert np.diff(at).tolist() == [125] * (120 * STEPS_A_SECOND - 1)


def test_staff_bring_what_is_below_its_threshold_up_to_its_optimum() -> None:
    books = MemoryBooks(opening(20, 40, threshold=5, optimal=9))
    simulation = run(books, Settings("realistic", disappearance=0.0), 1800)
    assert set(books.on_hand().values()) == {9}
    assert simulation.tally.restocked == 20 * 9 - 40


def test_nothing_is_brought_where_nothing_is_low() -> None:
    books = MemoryBooks(opening(20, 100, threshold=5, optimal=9))
    run(books, Settings("realistic", disappearance=0.0), 600)
    assert books.brought == 0


def test_what_is_stolen_is_found_out_by_readers_and_only_that_is_booked() -> None:
    stolen: list[int] = []
    missing: set[int] = set()

    def listen(event: Event) -> None:
        if isinstance(event, Missing):
            missing.update(event.items.tolist())
        elif isinstance(event, StockChanged) and event.reason == "stolen":
            assert (event.change < 0).all()
            stolen.append(-int(event.change.sum()))

    books = MemoryBooks(opening(100, 4000, threshold=0))
    simulation = run(books, Settings("demo", disappearance=0.1), 1800, listen)
    booked = {item for item, reason in books.left.items() if reason == "stolen"}
    assert booked
    assert booked <= missing
    assert sum(stolen) == len(booked) == simulation.tally.stolen
    unnoticed = int((simulation.items.state == CARRIED_OFF).sum())
    assert unnoticed < len(booked)


def test_a_quiet_store_misses_nothing_for_long() -> None:
    missing: list[int] = []
    found: list[int] = []

    def listen(event: Event) -> None:
        if isinstance(event, Missing):
            missing.extend(event.items.tolist())
        elif isinstance(event, Found):
            found.extend(event.items.tolist())

    books = MemoryBooks(opening(100, 3000, threshold=0))
    simulation = run(books, Settings("realistic", disappearance=0.0), 1200, listen)
    assert (simulation.items.state == ON_SHELF).all()
    assert len(missing) <= 3
    assert set(missing) - set(found) == set(simulation.items.id[simulation.items.missing].tolist())


def test_readings_are_in_range_and_kept_every_quarter_of_an_hour() -> None:
    cycles: list[Detections] = []

    def listen(event: Event) -> None:
        if isinstance(event, Detections):
            cycles.append(event)

    books = MemoryBooks(opening(100, 3000, threshold=0))
    simulation = run(books, Settings("demo", analytics=True), 1000, listen)
    assert len(cycles) == 1000
    assert max(int(cycle.distance.max(initial=0)) for cycle in cycles) <= 400
    strength = np.concatenate([cycle.rssi for cycle in cycles])
    distance = np.concatenate([cycle.distance for cycle in cycles])
    assert np.corrcoef(np.log(np.maximum(distance, 10)), strength)[0, 1] < -0.9
    times: dict[int, list[int]] = {}
    for seen in books.seen:
        for item in seen.items.tolist():
            times.setdefault(item, []).append(seen.at)
    assert all((np.diff(at) >= 15 * 60_000).all() for at in times.values())
    read = set(np.concatenate([cycle.items for cycle in cycles]).tolist())
    assert read == times.keys()
    assert simulation.tally.detections == len(strength)


def test_without_analytics_no_reading_and_no_snapshot_is_kept() -> None:
    books = MemoryBooks(opening(100, 1000))
    simulation = run(books, Settings("stress"), 300)
    assert (books.seen, books.snapshots) == ([], [])
    assert simulation.tally.sold > 0


def test_snapshots_are_taken_at_the_beginning_and_at_the_interval() -> None:
    books = MemoryBooks(opening(100, 1000))
    run(books, Settings("stress", snapshot_interval=60, analytics=True), 181)
    assert [at - START for at, _ in books.snapshots] == [125, 60_125, 120_125, 180_125]


def test_settings_may_change_while_it_runs() -> None:
    books = MemoryBooks(opening(100, 1000))
    simulation = run(books, Settings("stress"), 60)
    simulation.settings = simulation.settings.changed(mode="demo", analytics=True)
    for _ in range(700 * STEPS_A_SECOND):
        simulation.step()
    assert simulation.shoppers.inside <= MODES["demo"].most_shoppers
    assert simulation.staff.on_floor == MODES["demo"].employees
    assert books.snapshots
    check_books(simulation, books)


def test_the_clock_begins_after_what_stands_in_the_books() -> None:
    stock = opening(10, 100)
    later = START + 3_600_000
    books = MemoryBooks(type(stock)(**{**_fields(stock), "latest": later}))
    simulation = run(books, Settings("demo"), 1)
    assert simulation.clock.began == later


def test_it_is_over_after_its_duration() -> None:
    simulation = Simulation(
        MemoryBooks(opening(10, 100)), FLOOR, Settings("demo", duration=10), START
    )
    steps = 0
    while not simulation.is_over:
        simulation.step()
        steps += 1
    assert steps == 10 * STEPS_A_SECOND


def test_what_is_gone_is_cleared_away_and_its_places_are_filled_first() -> None:
    stock = opening(10, 6000)
    items = Items(stock, Walkways(FLOOR))
    first = np.arange(0, 5500, dtype=np.int64)
    items.leave(first)
    last = {(float(items.x[row]), float(items.y[row])) for row in first[-10:]}
    kept = items.id[5500:].tolist()
    x, y, zone = items.places_for(3, 1)
    assert (float(x[0]), float(y[0])) in last
    items.clear_away()
    assert len(items) == len(kept)
    assert items.id.tolist() == kept
    assert items.row(kept[7]) == 7
    assert items.on_hand.tolist() == [50] * 10
    x, y, zone = items.places_for(3, 2)
    items.coming[3] = 2
    items.bring(
        Restocked(np.array([9000, 9001]), np.array(["a", "b"])), np.array([3, 3]), x, y, zone
    )
    assert items.on_hand[3] == 52
    assert items.coming[3] == 0
    rows, _ = items.grid.within(float(x[0]), float(y[0]), 1.0)
    assert {500, 501} & set(rows.tolist())


def test_few_that_are_gone_are_left_where_they_are() -> None:
    items = Items(opening(10, 6000), Walkways(FLOOR))
    items.leave(np.arange(1000, dtype=np.int64))
    items.clear_away()
    assert len(items) == 6000


def test_a_listener_may_leave() -> None:
    simulation = Simulation(MemoryBooks(opening(10, 100)), FLOOR, Settings("demo"), START)
    told: list[Event] = []
    end = simulation.listen(told.append)
    simulation.step()
    end()
    before = len(told)
    simulation.step()
    assert len(told) == before > 0


def test_new_items_must_have_ascending_identifiers() -> None:
    stock = opening(10, 100)
    wrong = type(stock)(**{**_fields(stock), "item_id": stock.item_id[::-1].copy()})
    with pytest.raises(ValueError, match="ascend"):
        Simulation(MemoryBooks(wrong), FLOOR, Settings(), START)


def _fields(stock: Any) -> dict[str, I64]:
    return {name: getattr(stock, name) for name in stock.__dataclass_fields__}
