"""A messy retailer keeps the engine's promises: pickled, in any order, and nothing is lost."""

from __future__ import annotations

import pickle
from collections import Counter

import pyarrow as pa
import pytest
from fake_retailer import START, FakePlan, FakeRetailer, FakeSource

from retail_datagen.core.calendar import month_of
from retail_datagen.engine.messy import MessySource
from retail_datagen.engine.source import Render, Rendered
from retail_datagen.quality.mess import Mess
from retail_datagen.quality.mess.levels import DRIFT_MONTHS
from retail_datagen.schema.table import Table

DAYS = range(START, START + 10)
MESS = Mess.of("heavy_mess", {"late_arrivals": "0.2", "duplicates": "0.1"})


@pytest.fixture(scope="module")
def plans() -> dict[int, FakePlan]:
    planner = FakeRetailer(FakeSource()).planner(START, None)
    return {plan.day: plan for plan in (planner.step() for _ in DAYS)}


def opened(mess: Mess, plans: dict[int, FakePlan], truth: bool = True, seed: int = 7) -> Render:
    """The render function of a source as a worker gets it."""
    source = pickle.loads(pickle.dumps(MessySource(FakeSource(), mess, seed, truth)))
    return source.open().render(START, plans.__getitem__)


def test_none_gives_what_is_there_without_it(plans: dict[int, FakePlan]) -> None:
    clean = FakeRetailer(FakeSource()).render(START, plans.__getitem__)
    messy = opened(Mess(), plans)
    for day in DAYS:
        for name in ("receipts", "returns"):
            assert messy(name, day).equals(clean(name, day), check_metadata=True)
            assert messy(f"{name}_truth", day).num_rows == 0


def test_days_in_any_order_and_by_any_worker_are_the_same(plans: dict[int, FakePlan]) -> None:
    render = opened(MESS, plans)
    names = ("receipts", "receipts_truth", "returns")
    forward = {(name, day): render(name, day) for day in DAYS for name in names}
    backward = opened(MESS, plans)
    for name, day in reversed(forward):
        assert backward(name, day).equals(forward[name, day])
    assert opened(MESS, plans)("receipts", DAYS[5]).equals(forward["receipts", DAYS[5]])
    assert not opened(MESS, plans, seed=8)("receipts", DAYS[5]).equals(forward["receipts", DAYS[5]])


def test_rows_are_late_or_twice_as_the_truth_says_and_none_is_lost(
    plans: dict[int, FakePlan],
) -> None:
    render, clean = opened(MESS, plans), opened(Mess(), plans)
    came = {day: Counter(ids(render("receipts", day))) for day in DAYS}
    for day in DAYS[:-3]:
        truth = render("receipts_truth", day).to_pylist()
        own = ids(clean("receipts", day))
        late = {row["row_key"] for row in truth if row["kind"] == "LATE"}
        twice = {row["row_key"] for row in truth if row["kind"] == "DUPLICATE"}
        assert late
        for row in own:
            arrivals = [d for d in DAYS for _ in range(came[d][row])]
            if row in late:
                assert len(arrivals) == 1
                assert day < arrivals[0] <= day + 3
            else:
                assert arrivals == [day] * (1 + (row in twice))
    under_way = {row for day in DAYS for row in ids(clean("receipts", day))} - {
        row for day in DAYS for row in came[day]
    }
    assert under_way <= {row for day in DAYS[-3:] for row in ids(clean("receipts", day))}


def test_a_source_declares_what_it_opens() -> None:
    source = MessySource(FakeSource(), MESS, 7, truth=True)
    retailer = source.open()
    assert retailer.tables == source.tables == retailer.source.tables
    assert retailer.calendar == source.calendar
    looks_back = {name: made.lookback_days for name, made in source.tables.items()}
    assert looks_back == {"receipts": 3, "returns": 5, "receipts_truth": 0, "returns_truth": 2}
    assert set(MessySource(FakeSource(), MESS, 7).tables) == {"receipts", "returns"}


def test_a_history_tells_its_mess() -> None:
    clean = FakeRetailer(FakeSource()).identity
    assert MessySource(FakeSource(), Mess(), 7).open().identity == clean
    found = MessySource(FakeSource(), MESS, 7).open().identity
    assert (found.version, found.master) == (clean.version, clean.master)
    assert found.settings == {
        **clean.settings,
        "mess.level": "heavy_mess",
        "mess.late_arrivals": "0.2",
        "mess.duplicates": "0.1",
    }
    others = [
        MessySource(FakeSource(), mess, seed).open().identity.config
        for mess, seed in (
            (MESS, 8),
            (Mess.of("heavy_mess", {}), 7),
            (Mess.of("light_mess", {}), 7),
        )
    ]
    assert len({clean.config, found.config, *others}) == 5


def test_a_table_is_declared_as_drifted_when_its_rows_are() -> None:
    before, after = (Table(name, "", (), ()) for name in ("before", "after"))
    rendered = Rendered(before, 0, after)
    for day in range(START, START + 366):
        assert rendered.on(day) is (after if month_of(day) in DRIFT_MONTHS else before)


def ids(rows: pa.Table) -> list[str]:
    found: list[str] = rows["ReceiptId"].to_pylist()
    return found
