"""A simulation of a store in a database: its books, its lease, its thread."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from live_store import check_ledger, count, places, stock, url_in
from memory_books import START, Digest
from sqlalchemy import Engine, update

from retail_datagen.config.errors import UserError
from retail_datagen.store import lease, live
from retail_datagen.store.database import models as m
from retail_datagen.store.database.engine import open_database
from retail_datagen.store.floor import FLOOR
from retail_datagen.store.keeping import KeptLease, this_holder
from retail_datagen.store.ledger import Ledger
from retail_datagen.store.live import start_simulation
from retail_datagen.store.live_books import LedgerBooks
from retail_datagen.store.simulation.clock import TICK_MS
from retail_datagen.store.simulation.events import Positions
from retail_datagen.store.simulation.run import Simulation
from retail_datagen.store.simulation.settings import MODES, Settings
from services.service import until
from stopping import allowed


@pytest.mark.parametrize("mode", MODES)
def test_the_ledger_is_clean_after_every_mode(engine: Engine, mode: str) -> None:
    simulate_minutes(engine, mode)


def test_the_ledger_is_clean_on_postgresql(postgres_url: str) -> None:
    engine = open_database(postgres_url)
    simulate_minutes(engine, "stress")
    engine.dispose()


def simulate_minutes(engine: Engine, mode: str) -> None:
    stock(engine, 1000)
    asked = Settings(mode, disappearance=0.05, duration=300, snapshot_interval=60, analytics=True)
    run = start_simulation(engine, asked, start=START, paced=False)
    assert run.wait(600)
    run.raise_if_failed()
    status = run.status()
    assert status.state == "finished"
    assert status.tally.sold > 0
    assert status.tally.restocked > 0
    check_ledger(engine)
    assert count(engine, "purchase_events", source="simulation") == status.tally.sold
    assert count(engine, "stock_movements", kind="restock") == status.tally.restocked
    assert count(engine, "inventory_items", status="present") == status.items_present
    assert count(engine, "stock_snapshots") == status.tally.snapshots * status.products
    assert status.tally.snapshots == 5
    assert count(engine, "detections") > 0
    assert not np.isnan(places(engine)).any()
    assert lease.current(engine) is None


def test_a_seed_gives_the_same_events_in_any_copy_of_a_store(tmp_path: Path) -> None:
    digests = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        engine = open_database(url_in(tmp_path / name))
        stock(engine, 800)
        told = Digest()
        later = round((datetime.now() + timedelta(days=1)).replace(
            hour=12, minute=0, second=0, microsecond=0).timestamp()) * 1000  # fmt: skip
        asked = Settings("stress", duration=240, analytics=True)
        run = start_simulation(engine, asked, [told], start=later, paced=False)
        assert run.wait(600)
        run.raise_if_failed()
        digests.append(told.value)
        engine.dispose()
    assert digests[0] == digests[1]


def test_an_empty_store_says_what_to_run(engine: Engine) -> None:
    with pytest.raises(UserError, match=r"No products found in database .*inventory generate"):
        start_simulation(engine, Settings())
    assert lease.current(engine) is None


def test_a_store_without_items_says_what_to_run(engine: Engine) -> None:
    stock(engine, 0)
    with pytest.raises(UserError, match=r"No inventory items found in database .*generate"):
        start_simulation(engine, Settings())


def test_items_without_a_place_are_told_of(engine: Engine) -> None:
    stock(engine, 30)
    with engine.begin() as connection:
        connection.execute(update(m.inventory_items).values(x_position=None))
    with pytest.raises(UserError, match="30 are present, but without a position"):
        start_simulation(engine, Settings())


def test_the_second_is_told_who_the_first_is(any_engine: Engine) -> None:
    stock(any_engine, 100)
    first = start_simulation(any_engine, Settings("demo"), what="the first simulation")
    with pytest.raises(UserError, match=r"the first simulation in process \d+ on .* since 20"):
        start_simulation(any_engine, Settings("demo"))
    first.stop()
    second = start_simulation(any_engine, Settings("demo"))
    assert second.status().state == "running"
    assert second.stop().state == "stopped"


def test_only_one_of_many_that_start_at_once_simulates(any_engine: Engine) -> None:
    stock(any_engine, 100)
    runs, refused = [], []
    barrier = threading.Barrier(6)

    def start() -> None:
        barrier.wait()
        try:
            runs.append(start_simulation(any_engine, Settings("demo")))
        except UserError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(runs), len(refused)) == (1, 5)
    runs[0].stop()


def test_a_lease_is_kept_for_longer_than_it_lasts_and_ends_by_itself(any_engine: Engine) -> None:
    kept = KeptLease(any_engine, this_holder("one"), seconds=9)
    begun = lease.current(any_engine)
    assert begun is not None
    until(lambda: (now := lease.current(any_engine)) and now.expires_at > begun.expires_at)
    kept.check()
    with pytest.raises(UserError, match="another simulation runs"):
        KeptLease(any_engine, this_holder("two"), seconds=9)
    kept.release()
    lease.acquire(any_engine, "killed", seconds=60)
    with pytest.raises(UserError, match="killed"):
        lease.acquire(any_engine, "other", seconds=60)
    lease.renew(any_engine, "killed", seconds=0.3)
    until(lambda: lease.current(any_engine) is None)
    lease.acquire(any_engine, "other", seconds=60)


@pytest.mark.timed
def test_who_has_lost_the_lease_stops(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = 9
    monkeypatch.setattr(live, "KeptLease", partial(KeptLease, seconds=seconds))
    stock(engine, 100)
    run = start_simulation(engine, Settings("demo"))
    with engine.begin() as connection:
        later = datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=1)
        taken = {"holder": "somebody else", "expires_at": later}
        connection.execute(update(m.simulation_leases).values(taken))
    assert run.wait(allowed(seconds))
    with pytest.raises(UserError, match=r"its lease ran out, and now somebody else has it"):
        run.raise_if_failed()
    assert run.status().state == "failed"
    held = lease.current(engine)
    assert held is not None
    assert held.name == "somebody else"


@pytest.mark.timed
def test_a_paced_run_keeps_the_pace_and_tells_positions(engine: Engine) -> None:
    stock(engine, 300)
    at: list[float] = []

    def listen(event: object) -> None:
        if isinstance(event, Positions):
            at.append(time.monotonic())

    run = start_simulation(engine, Settings("demo", speed=2.0), [listen])
    until(lambda: len(at) >= 24)
    status = run.stop()
    assert status.times_real < 2.5
    assert status.real_seconds < allowed((status.now - status.began) / 1000 / 1.5)
    assert at[23] - at[0] < allowed(24 / 6)
    assert len(at) == (status.now - status.began) // TICK_MS


def test_settings_change_on_the_way(engine: Engine) -> None:
    stock(engine, 300)
    run = start_simulation(engine, Settings("demo"))
    assert run.change(speed=5.0, mode="stress").speed == 5.0
    with pytest.raises(UserError, match=r"speed: 9 is not allowed; give 0.5 to 5"):
        run.change(speed=9)
    assert run.status().settings.mode == "stress"
    assert any("speed 5" in line.text for line in run.log.after())
    run.stop()


def test_what_others_take_out_of_the_books_is_not_sold(engine: Engine) -> None:
    stock(engine, 400, ("Running Shoes",))
    ledger = Ledger(engine)
    simulation = Simulation(
        LedgerBooks(ledger), FLOOR, Settings("stress", disappearance=0.5), START
    )
    for _ in range(8 * 60):
        simulation.step()
    gone = ledger.lose(simulation.items.id, reason="lost")
    assert len(gone.items) > 200
    for _ in range(8 * 120):
        simulation.step()
    assert simulation.tally.refused > 0
    check_ledger(engine)


def test_a_ledger_that_is_ahead_of_the_clock_takes_everything_at_its_own_time(
    any_engine: Engine,
) -> None:
    stock(any_engine, 400, ("Running Shoes",))
    ledger = Ledger(any_engine)
    asked = Settings("stress", disappearance=0.5, snapshot_interval=60, analytics=True)
    simulation = Simulation(LedgerBooks(ledger), FLOOR, asked, START)
    for _ in range(8 * 30):
        simulation.step()
    ledger.snapshot(datetime.now() + timedelta(hours=2))
    for _ in range(8 * 180):
        simulation.step()
    assert simulation.tally.sold > 0
    check_ledger(any_engine)
    again = Simulation(LedgerBooks(Ledger(any_engine)), FLOOR, asked, START)
    assert again.clock.began > simulation.clock.now
    for _ in range(8 * 30):
        again.step()
    check_ledger(any_engine)


def test_a_database_that_fails_ends_the_run_with_its_reason(any_engine: Engine) -> None:
    stock(any_engine, 300)
    run = start_simulation(any_engine, Settings("stress", disappearance=1.0), paced=False)
    with any_engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE purchase_events RENAME TO other")
    assert run.wait(600)
    with pytest.raises(UserError, match="the database failed"):
        run.raise_if_failed()
