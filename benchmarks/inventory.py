"""How fast a store is filled and given a past, on a PostgreSQL server of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from benchmarks.harness import BenchmarkError
from benchmarks.lab import Lab
from benchmarks.result import Check, Section
from benchmarks.servers import postgres, served
from retail_datagen.store.backfill import Backfill, backfill
from retail_datagen.store.catalogue import read_catalogue
from retail_datagen.store.database import open_database
from retail_datagen.store.generate import Direct, Target, load_items, load_products
from retail_datagen.store.http import StoreClient
from retail_datagen.store.items import Inventory, plan_inventory
from retail_datagen.store.ledger import Ledger
from retail_datagen.store.remote import LATE, StoreApi
from retail_datagen.store.reset import reset_store
from retail_datagen.store.verify import verify_store

_THROUGH_API, _API_SECONDS = 3_000, 3.0
_DIRECT_SECONDS, _BACKFILL_SECONDS = 10.0, 5.0
_PAST_ITEMS = 10_000


@dataclass(frozen=True, slots=True)
class _Timed:
    what: str
    rows: str
    seconds: float


def inventory(lab: Lab) -> Section:
    """Loads, through the API and directly, and a past; wall seconds, as somebody waits for them."""
    items, days = lab.plan.tagged_items, lab.plan.days
    few_items = min(items, _THROUGH_API)
    few, many, some = (_planned(min(items, n)) for n in (_THROUGH_API, items, _PAST_ITEMS))
    with postgres() as url, closing_engine(open_database(url)) as engine:
        with served(url) as address, StoreClient(address, None, 60, LATE) as client:
            through_api = _timed(lambda: _fill(StoreApi(client), few))
        reset_store(engine)
        direct = _timed(lambda: _fill(Direct(Ledger(engine)), many))
        reset_store(engine)
        _fill(Direct(Ledger(engine)), some)
        past = _timed(lambda: backfill(engine, Backfill(days, "dense")))
        proof = _timed(lambda: _prove(engine))
    made = [
        _Timed("through the API", f"1,543 products, {few_items:,} items", through_api),
        _Timed("directly", f"1,543 products, {items:,} items", direct),
        _Timed("a dense past", f"{days} days, {min(items, _PAST_ITEMS):,} items", past),
        _Timed("store verify", "all of it", proof),
    ]
    return Section(
        "inventory",
        "A store's inventory and its past",
        "Into PostgreSQL on the same machine, an empty store each time; wall time. Products and "
        "items are in memory when the clock starts. A dense past has 100 purchases and 24 "
        "snapshots of every product a day.",
        ("what", "how much", "seconds"),
        [(one.what, one.rows, f"{one.seconds:.1f}") for one in made],
        [
            Check(f"{few_items:,} items through the API", through_api, _API_SECONDS, unit=" s"),
            Check(f"{items:,} items directly", direct, _DIRECT_SECONDS, unit=" s"),
            Check(f"{days} dense days", past, _BACKFILL_SECONDS, unit=" s"),
        ],
    )


@contextmanager
def closing_engine(engine: Engine) -> Iterator[Engine]:
    """The engine, disposed of at the end."""
    try:
        yield engine
    finally:
        engine.dispose()


def _fill(target: Target, planned: Inventory) -> None:
    load_products(target, planned, lambda _done, _total: None)
    load_items(target, planned, lambda _done, _total: None)


def _planned(items: int) -> Inventory:
    catalogue = read_catalogue()
    return plan_inventory(catalogue, catalogue.of_templates([]), items)


def _prove(engine: Engine) -> None:
    if not verify_store(engine).passed:
        raise BenchmarkError("the books of the store that was measured do not agree")


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
