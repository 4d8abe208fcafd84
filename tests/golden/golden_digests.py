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

from retail_datagen.config.models import Calendar, Paths, RetailConfig, Volume
from retail_datagen.core.calendar import to_date, to_day
from retail_datagen.plan.market import Market
from retail_datagen.plan.planner import Planner
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
            rows, text = render(name, context, day), BytesIO()
            write_csv(fact.table, rows, text)
            found.setdefault(name, {})[str(to_date(day))] = sha256(text.getvalue()).hexdigest()
    return found


def kept_digests() -> dict[str, dict[str, str]]:
    """Those that the repository keeps."""
    kept: dict[str, dict[str, str]] = json.loads(FILE.read_text())
    return kept


def keep(digests: dict[str, dict[str, str]]) -> None:
    """Keeps them as the truth from now on."""
    FILE.write_text(json.dumps(digests, indent=2) + "\n")
