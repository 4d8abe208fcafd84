"""`retail-datagen clickhouse init|drop`: the database that dashboards ask."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from retail_datagen.cli.console import console
from retail_datagen.cli.targets import targets_of
from retail_datagen.config.errors import UserError
from retail_datagen.events.topics import registry as topics
from retail_datagen.events.topics.hub import TABLE as HUB
from retail_datagen.sinks.clickhouse_admin import KafkaReader, Plan, drop, init, present
from retail_datagen.sinks.clickhouse_client import ClickHouse
from retail_datagen.tables import registry as facts
from retail_datagen.world.master import MASTER_TABLES

To = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="clickhouse://USER:PASSWORD@HOST:8123/retail or chdb:DIR; else CLICKHOUSE_HOST.",
    ),
]


def register(app: typer.Typer) -> None:
    """Mounts the group `clickhouse` on the application."""
    group = typer.Typer(help="Make the ClickHouse database for dashboards, or take it away.")
    group.command("init")(make)
    group.command("drop")(remove)
    app.add_typer(group, name="clickhouse")


def make(
    to: To = None,
    kafka: Annotated[
        str | None,
        typer.Option(metavar="HOST:9092", help="Brokers that the server itself is to read from."),
    ] = None,
    topic: Annotated[
        str | None,
        typer.Option(help=f"With --kafka: the topic that it reads; else {HUB.topic}."),
    ] = None,
) -> None:
    """Make database, tables and views; what is there already stays as it is.

    Tables begin empty: `backfill` and `load` fill them, with master data beside the events.
    """
    if topic is not None and kafka is None:
        raise UserError(
            "topic: --topic goes with --kafka, the brokers that the server itself is to read from; "
            "give --kafka HOST:9092, or leave it out"
        )
    reader = None if kafka is None else KafkaReader(kafka, topic or HUB.topic)
    with closing(_clickhouse(to)) as clickhouse:
        made = init(clickhouse, plan(), HUB, reader)
        console().print(f"{clickhouse.address.where}: {len(made)} tables and views are there")


def remove(
    to: To = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Drop the tables and views that this program makes, with all their rows, after asking."""
    with closing(_clickhouse(to)) as clickhouse:
        names = present(clickhouse, plan(), HUB)
        if not names:
            console().print(f"{clickhouse.address.where}: nothing of ours is there")
            return
        told = (
            f"{clickhouse.address.where}: drop {len(names)} tables and views ({', '.join(names)})"
        )
        if not yes and not typer.confirm(f"{told}?"):
            typer.echo("nothing was removed")
            raise typer.Exit(1)
        gone = drop(clickhouse, names)
        console().print(f"dropped {len(names)} tables and views{' and their database' * gone}")


def plan() -> Plan:
    """Every table that jobs fill: topics of events, facts, master data."""
    stamped = [fact.table for fact in facts().values()]
    return Plan([topic.table for topic in topics().values()] + stamped, MASTER_TABLES)


def _clickhouse(to: str | None) -> ClickHouse:
    url = to or next((u for u in targets_of(None) if u.startswith("clickhouse")), None)
    if url is None:
        raise UserError(
            "to: no ClickHouse is named; give --to clickhouse://USER:PASSWORD@HOST:8123/retail or "
            "--to chdb:DIR, or set CLICKHOUSE_HOST"
        )
    if not url.startswith(("clickhouse:", "clickhouses:", "chdb:")):
        raise UserError(
            f"to: {url.partition(':')[0]!r} is no ClickHouse; allowed are clickhouse://… and chdb:…"
        )
    return ClickHouse.of(url)
