"""The same bytes however a history is planned and rendered; other bytes for another seed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import fields
from datetime import date
from hashlib import sha256
from pathlib import Path

import digests_of_a_history
import numpy as np
import pytest

from histories import History, config_of, digest, history, values
from retail_datagen.plan.dayplan import DayPlan
from retail_datagen.plan.market import Market
from retail_datagen.plan.planner import Planner
from retail_datagen.plan.state import State
from retail_datagen.tables import Context, registry, render

START = date(2024, 11, 24)
DAYS = 12


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("same") / "master"


@pytest.fixture(scope="module")
def told(master: Path) -> History:
    """Twelve days with Thanksgiving, Black Friday and Cyber Monday among them."""
    return history(config_of(master), START, DAYS)


@pytest.fixture(scope="module")
def straight(told: History) -> dict[tuple[str, int], str]:
    """Digests of everything, rendered day by day, table by table."""
    context = told.context()
    return {
        (name, day): digest(name, render(name, context, day))
        for day in told.days
        for name in registry()
    }


def test_planning_goes_on_from_what_was_saved(told: History) -> None:
    """Each day by a planner of its own that knows only the bytes of the evening before."""
    saved = Planner(told.market()).save()
    for day, plan in told.plans.items():
        planner = Planner.restore(told.market(), saved)
        assert planner.next_day == day
        assert planner.step().to_bytes() == plan.to_bytes()
        saved = planner.save()
    assert saved == told.planner.save()


def test_plans_and_states_are_the_same_after_a_round_trip(told: History) -> None:
    for plan in told.plans.values():
        data = plan.to_bytes()
        assert DayPlan.from_bytes(data).to_bytes() == data
        assert DayPlan.from_bytes(data).counts == plan.counts
    saved = told.planner.save()
    assert State.from_bytes(saved).to_bytes() == saved
    with pytest.raises(ValueError, match="damaged"):
        State.from_bytes(saved[:-1])
    with pytest.raises(ValueError, match="damaged"):
        DayPlan.from_bytes(data[:200] + b"x" + data[201:])


def test_a_plan_is_small(told: History) -> None:
    """It holds exceptions, not rows: a few bytes for each receipt."""
    receipts = sum(plan.counts.receipts for plan in told.plans.values())
    assert sum(len(plan.to_bytes()) for plan in told.plans.values()) < 40 * receipts


def test_days_and_tables_in_any_order(told: History, straight: dict[tuple[str, int], str]) -> None:
    wanted = [(name, day) for day in told.days for name in registry()]
    order = np.random.Generator(np.random.PCG64(4)).permutation(len(wanted))
    context = told.context()
    for row in order:
        name, day = wanted[row]
        assert digest(name, render(name, context, day)) == straight[name, day], (name, day)


@pytest.mark.parametrize("table", list(registry()))
def test_one_day_of_one_table_alone(
    told: History, straight: dict[tuple[str, int], str], table: str
) -> None:
    """From plans that were read back from bytes, and none but those that the table declares."""
    for day in (told.days[0], told.days[-1]):
        asked = set()

        def load(wanted: int, asked: set[int] = asked) -> DayPlan:
            asked.add(wanted)
            return DayPlan.from_bytes(told.plans[wanted].to_bytes())

        alone = render(table, Context(told.market(), load), day)
        assert digest(table, alone) == straight[table, day]
        first = max(day - registry()[table].lookback_days, told.start)
        assert asked <= set(range(first, day + 1))


def test_planning_and_rendering_may_share_a_market(
    told: History, straight: dict[tuple[str, int], str]
) -> None:
    market, plans = told.market(), {}
    planner, context = Planner(market), Context(market, lambda day: plans[day])
    for day in told.days:
        plans[day] = planner.step()
        assert plans[day].to_bytes() == told.plans[day].to_bytes()
        for name in registry():
            assert digest(name, render(name, context, day)) == straight[name, day]


def test_the_same_bytes_without_the_cpu_s_newer_instructions(tmp_path: Path) -> None:
    """NumPy takes other loops then, which for floats may end in other last bits."""
    umath = np._core._multiarray_umath
    newer = [name for name in umath.__cpu_dispatch__ if umath.__cpu_features__.get(name)]
    if not newer:
        pytest.skip("this CPU has nothing that NumPy could leave out")
    told = subprocess.run(
        [sys.executable, digests_of_a_history.__file__, str(tmp_path / "plain")],
        env=os.environ | {"NPY_DISABLE_CPU_FEATURES": ",".join(newer)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert "cannot be disabled" not in told.stderr
    assert json.loads(told.stdout) == digests_of_a_history.digests(tmp_path / "all")


def test_another_seed_is_another_history(
    told: History, straight: dict[tuple[str, int], str], tmp_path: Path
) -> None:
    other = history(config_of(tmp_path / "master", seed=43), START, DAYS)
    assert other.world.digest != told.world.digest
    context = other.context()
    for name in registry():
        rows = [render(name, context, day) for day in other.days]
        assert any(len(of) for of in rows), name
        same = [d for d, of in zip(other.days, rows, strict=True) if len(of)]
        same = [d for d in same if digest(name, rows[d - other.start]) == straight[name, d]]
        assert not same, name


def test_the_same_master_data_with_another_seed_is_another_history(
    told: History, straight: dict[tuple[str, int], str], master: Path
) -> None:
    other = history(config_of(master, seed=43), START, 4)
    assert other.world.digest == told.world.digest
    context = other.context()
    for name in set(registry()) - {"price_changes"}:
        last = other.days[-1]
        assert digest(name, render(name, context, last)) != straight[name, last], name


def same_draws(one: object, other: object) -> bool:
    """Whether two records of arrays hold the same values."""
    return all(
        np.array_equal(getattr(one, f.name), getattr(other, f.name))
        for f in fields(one)  # type: ignore[arg-type]
    )


def test_a_history_that_starts_a_day_later_is_whole_in_itself(told: History, master: Path) -> None:
    later = history(config_of(master), date(2024, 11, 25), DAYS - 1)
    assert later.plans[later.start].first_trace == 1
    reason = values(later.day("store_inventory_txn", later.start).column("Reason"))
    assert (reason == "INITIAL_STOCK").any()
    assert not (reason == "RETURN").any(), "nobody returns what was never sold"
    one, other = told.market(), later.market()
    for day in later.days:
        assert same_draws(one.online_orders(day)[0], other.online_orders(day)[0])
        assert same_draws(one.online_orders(day)[1], other.online_orders(day)[1])
    # Impressions of both reach four days ahead: from then on the same shoppers come.
    for day in later.days[6:]:
        assert same_draws(told.plans[day].converts, later.plans[day].converts)
        mine = one.in_stores(day, told.plans[day].converts)
        theirs = other.in_stores(day, later.plans[day].converts)
        assert same_draws(mine.visits, theirs.visits)
        assert same_draws(mine.lines, theirs.lines)
    assert told.planner.save() != later.planner.save()


@pytest.mark.parametrize(
    "overrides",
    [
        {"supply.store_cover_days": 3.0, "supply.dc_safety_days": 2.0},
        {"returns.share": 0.2},
        {"tenders.CASH": 90.0},
        {"supply.shrink_share": 0.1},
    ],
)
def test_what_shoppers_want_does_not_depend_on_what_happens_to_stock(
    told: History, master: Path, overrides: dict[str, object]
) -> None:
    """One decision changes and all other randomness stays: the promise of named streams."""
    other = history(config_of(master, overrides=overrides), START, 6)
    assert other.world.digest == told.world.digest
    one, two = told.market(), other.market()
    for day in other.days:
        assert same_draws(told.plans[day].converts, other.plans[day].converts)
        mine = one.in_stores(day, told.plans[day].converts)
        theirs = two.in_stores(day, other.plans[day].converts)
        assert same_draws(mine.visits, theirs.visits)
        assert same_draws(mine.lines, theirs.lines)
        assert same_draws(one.online_orders(day)[1], two.online_orders(day)[1])
        assert (
            told.day("marketing", day)
            .drop(["TraceId"])
            .equals(other.day("marketing", day).drop(["TraceId"]))
        )


def test_the_bytes_of_a_plan_are_its_content(told: History) -> None:
    digests = {sha256(plan.to_bytes()).hexdigest() for plan in told.plans.values()}
    assert len(digests) == DAYS


def test_a_market_draws_a_day_the_same_after_others(told: History) -> None:
    """What a market keeps of days that it drew is never changed by who got it."""
    market = told.market()
    first = market.in_stores(told.days[3], told.plans[told.days[3]].converts)
    for day in told.days:
        market.in_stores(day, told.plans[day].converts)
        market.online_orders(day)
    again = Market(told.world, told.profile, told.config, told.start).in_stores(
        told.days[3], told.plans[told.days[3]].converts
    )
    assert same_draws(first.visits, again.visits)
    assert same_draws(first.lines, again.lines)
