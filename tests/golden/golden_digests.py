"""A tiny retailer's tables as digests of their CSV files: content, whatever the writer's settings.

The retailer is small, yet every table has rows on the first day or the tenth: a digest of no rows
would guard nothing.
"""

from __future__ import annotations

import json
from datetime import date
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from retail_datagen.config.models import Calendar, Paths, RetailConfig, Signups, Volume
from retail_datagen.core.calendar import to_date, to_day
from retail_datagen.ecom import history, lookups
from retail_datagen.ecom import tables as shop_tables
from retail_datagen.ecom.planner import ShopPlanner
from retail_datagen.engine.eventful import EventSource
from retail_datagen.engine.messy import MessyRetailer
from retail_datagen.engine.online import OnlineSource
from retail_datagen.events import FEEDS, Feed, topics_of
from retail_datagen.plan.market import Market
from retail_datagen.plan.planner import Planner
from retail_datagen.quality.mess import Mess
from retail_datagen.schema import Table
from retail_datagen.schema.csv import write_csv
from retail_datagen.tables import Context, registry, render
from retail_datagen.world.read import ensure_world

FILE = Path(__file__).with_name("digests.json")
START = date(2024, 11, 20)
DAYS = (1, 10)
"""The days of the history that are kept, counted from 1; the tenth is Black Friday."""


def golden_digests() -> dict[str, dict[str, str]]:
    """sha256 of the CSV text of each table: {table: {date: digest}}."""
    with TemporaryDirectory() as folder:
        config = RetailConfig(
            seed=42,
            volume=Volume(
                stores=4,
                dcs=2,
                customers_per_day=80,
                online_orders_per_day=20,
                customers=800,
                products=250,
            ),
            paths=Paths(dict=Path("no-such-folder"), master=Path(folder) / "master"),
            calendar=Calendar(first=date(2023, 1, 1), last=date(2025, 12, 31)),
        )
        profile = config.load_profile()
        market = Market(ensure_world(config, profile), profile, config, to_day(START))
    planner = Planner(market)
    plans = {plan.day: plan for plan in (planner.step() for _ in range(max(DAYS)))}
    context = Context(market, plans.__getitem__)
    found: dict[str, dict[str, str]] = {}
    for name, fact in registry().items():
        for number in DAYS:
            day = to_day(START) + number - 1
            digest = _digest(fact.table, render(name, context, day))
            found.setdefault(name, {})[str(to_date(day))] = digest
    return found | _shop_digests() | _event_digests()


def golden_tables() -> tuple[str, ...]:
    """The tables that have digests: the retailer's, `ecom.` those of its web shop, a mess and the
    truth about it among them, and `events.` those of each feed, the hub's thinned.
    """
    shop = (*shop_tables.registry(), "customers", "product_catalog", *HISTORIES, MESSY, TRUTH)
    topics = [name for feed in FEEDS for name in topics_of(Feed(feed))]
    return (*registry(), *(f"ecom.{name}" for name in shop), *(f"events.{n}" for n in topics))


HISTORIES = ("customers_history", "product_history")
MESSY, TRUTH = "messy_orders", "orders_truth"


def _shop_digests() -> dict[str, dict[str, str]]:
    """As `golden_digests`, of a tiny web shop; what has no days has the digest of the last one."""
    with TemporaryDirectory() as folder:
        config = _shop_config(Path(folder))
        retailer = OnlineSource(config).open()
    start = to_day(START)
    planner = retailer.planner(start, None)
    assert isinstance(planner, ShopPlanner)
    plans = {plan.day: plan for plan in (planner.step() for _ in range(max(DAYS)))}
    context = retailer.context(start, plans.__getitem__)
    mess = Mess.of("heavy_mess", {"typos": "0.1", "late_arrivals": "0.1"})
    messy = MessyRetailer(retailer, mess, 42, truth=True)
    spoilt = messy.render(start, plans.__getitem__)
    found: dict[str, dict[str, str]] = {}
    for day in (start + number - 1 for number in DAYS):
        made = {n: (t.table, t.render(context.day(day))) for n, t in shop_tables.registry().items()}
        made[MESSY] = (messy.tables["orders"].table, spoilt("orders", day))
        made[TRUTH] = (messy.tables[TRUTH].table, spoilt(TRUTH, day))
        if day == start + max(DAYS) - 1:
            changes = planner.state.changes
            made |= {
                "customers": (lookups.CUSTOMERS, lookups.customers(context)),
                "product_catalog": (lookups.PRODUCT_CATALOG, lookups.product_catalog(context)),
                HISTORIES[0]: (
                    history.CUSTOMERS_HISTORY,
                    history.customers_history(context, changes, day),
                ),
                HISTORIES[1]: (history.PRODUCT_HISTORY, history.product_history(context, day)),
            }
        for name, (table, rows) in made.items():
            digests = found.setdefault(f"ecom.{name}", {})
            digests[str(to_date(day))] = _digest(table, rows)
    return found


def _shop_config(folder: Path) -> RetailConfig:
    return RetailConfig(
        seed=42,
        profile="ecommerce",
        volume=Volume(
            stores=2,
            dcs=1,
            customers_per_day=30,
            online_orders_per_day=60,
            customers=900,
            products=250,
        ),
        signups=Signups(first=date(2024, 1, 1), last=date(2024, 12, 31)),
        paths=Paths(dict=Path("no-such-folder"), master=folder / "master"),
        calendar=Calendar(first=date(2023, 1, 1), last=date(2025, 12, 31)),
    )


def _event_digests() -> dict[str, dict[str, str]]:
    """As `golden_digests`, of the feeds of a tiny web shop."""
    found: dict[str, dict[str, str]] = {}
    start = to_day(START)
    with TemporaryDirectory() as folder:
        config = _shop_config(Path(folder))
        for name in FEEDS:
            retailer = EventSource(config, Feed(name, events_per_hour=5)).open()
            planner = retailer.planner(start, None)
            plans = {plan.day: plan for plan in (planner.step() for _ in range(max(DAYS)))}
            render = retailer.render(start, plans.__getitem__)
            for day in (start + number - 1 for number in DAYS):
                for topic, made in retailer.tables.items():
                    digests = found.setdefault(f"events.{topic}", {})
                    digests[str(to_date(day))] = _digest(made.table, render(topic, day))
    return found


def _digest(table: Table, rows: pa.Table) -> str:
    text = BytesIO()
    write_csv(table, rows, text)
    return sha256(text.getvalue()).hexdigest()


def kept_digests() -> dict[str, dict[str, str]]:
    """Those that the repository keeps."""
    kept: dict[str, dict[str, str]] = json.loads(FILE.read_text())
    return kept


def keep(digests: dict[str, dict[str, str]]) -> None:
    """Keeps them as the truth from now on."""
    FILE.write_text(json.dumps(digests, indent=2) + "\n")
