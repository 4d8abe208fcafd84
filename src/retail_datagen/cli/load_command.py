"""`retail-datagen load` brings what is committed in Kafka into ClickHouse, each message once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from retail_datagen.cli import stream_options, targets
from retail_datagen.cli.finished import told_when_stopped
from retail_datagen.cli.output_options import AsJson, Quiet
from retail_datagen.cli.words import names_of
from retail_datagen.config.errors import UserError
from retail_datagen.engine.stop import JobStopped
from retail_datagen.sinks import redacted
from retail_datagen.sinks.clickhouse_client import ClickHouse
from retail_datagen.sinks.kafka_reading import settings_of
from retail_datagen.sinks.kafka_url import registry_settings
from retail_datagen.streaming.arrivals import ReadByRegistry
from retail_datagen.streaming.feed import NAMES, loadable, streaming_config
from retail_datagen.streaming.load import Load, Loaded, run_load
from retail_datagen.streaming.master_data import MasterData

_LOG_SECONDS = 60.0
_CLICKHOUSE = ("clickhouse", "clickhouses", "chdb")


def register(app: typer.Typer) -> None:
    """Mounts `load` on the application."""
    app.command("load")(load)


def load(
    source: Annotated[
        str,
        typer.Option(
            "--from", metavar="URL", help="kafka://HOST:9092; else KAFKA_BOOTSTRAP_SERVERS."
        ),
    ] = "kafka:",
    to: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="clickhouse://USER:PASSWORD@HOST:8123/retail or chdb:DIR; else CLICKHOUSE_HOST.",
        ),
    ] = None,
    config: stream_options.Config = None,
    no_dimensions: stream_options.NoDimensions = False,
    feed: Annotated[
        str | None,
        typer.Option(metavar="|".join(NAMES), help="Only the topics of this feed; else of all."),
    ] = None,
    tables: Annotated[
        list[str] | None,
        typer.Option(metavar="A,B", help="Only the topics of these tables, separated by commas."),
    ] = None,
    continuous: Annotated[
        bool, typer.Option("--continuous", help="Go on at the topics' end with what comes.")
    ] = False,
    batch_rows: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Messages that are written at once, at most.")
    ] = 100_000,
    batch_seconds: Annotated[
        float, typer.Option(min=0.05, help="How long a message waits for others, at most.")
    ] = 1.0,
    registry: targets.Registry = "",
    topic_prefix: targets.TopicPrefix = targets.PLAIN.topic_prefix,
    kafka_config: targets.KafkaConfig = None,
    kafka_properties: targets.KafkaProperties = None,
    broker_timeout: targets.BrokerTimeout = targets.PLAIN.broker_timeout,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Load Kafka topics into ClickHouse, each message once; run again, it goes on.

    Beside them go the master data of the configuration, which must be that of who sent them.
    """
    with told_when_stopped(quiet):
        resolved = streaming_config(config)
        topics = loadable(resolved, feed, names_of(tables))
        wishes = targets.KafkaWishes(
            topic_prefix=topic_prefix,
            config=kafka_config,
            properties=kafka_properties,
            broker_timeout=broker_timeout,
        )
        kafka = wishes.kafka
        settings, prefix = settings_of(source, kafka)
        clickhouse = ClickHouse.of(_target(to))
        named = {prefix + topic: table for topic, table in topics.items()}
        master = MasterData(resolved, settings, prefix, named, clickhouse)
        asked = Load(
            kafka=settings,
            clickhouse=clickhouse,
            topics=named,
            notes=resolved.paths.facts,
            continuous=continuous,
            batch_rows=batch_rows,
            batch_seconds=batch_seconds,
            wait_seconds=broker_timeout,
            beforehand=None if no_dimensions else master,
            by_registry=_reader(registry_settings(registry, kafka.config)),
        )
        _run(asked, quiet, as_json)


def _reader(settings: Mapping[str, str]) -> ReadByRegistry | None:
    """What reads messages with a schema, if a registry is named. Raises UserError."""
    if not settings:
        return None
    try:
        from retail_datagen.wire.registry_reading import SchemaReader
    except ImportError as error:
        raise UserError(
            "registry: a schema registry needs packages more: pip install 'retail-datagen[kafka]'"
        ) from error
    return SchemaReader.of(settings)


def _run(asked: Load, quiet: bool, as_json: bool) -> None:
    terminal = Console(stderr=True)
    last = Loaded()

    def keep(loaded: Loaded) -> None:
        nonlocal last
        last = loaded
        tell(_told(loaded))

    tell: Callable[[str], None] = _nothing
    with ExitStack() as stack:
        if terminal.is_terminal and not quiet and not as_json:
            tell = stack.enter_context(terminal.status("loading")).update
        elif asked.continuous and not quiet:
            tell = _Log()
        try:
            done = run_load(asked, keep)
        except JobStopped as stopped:
            stack.close()
            if not quiet:
                typer.echo(f"stopped: {_told(last)}; run the same command again to go on", err=True)
            raise typer.Exit(stopped.exit_code) from None
    if as_json:
        typer.echo(json.dumps({**asdict(done), "total": done.total}))
    elif not quiet:
        typer.echo(f"loaded {_told(done)} into {asked.clickhouse.address.where}")
        for table, rows in sorted(done.rows.items()):
            typer.echo(f"  {table}: {rows:,} rows")


class _Log:
    """A line now and then, for where nobody looks at a terminal."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, text: str) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _LOG_SECONDS
            typer.echo(f"loaded {text}", err=True)


def _nothing(text: str) -> None:
    """Who asked for quiet is told nothing."""


def _told(loaded: Loaded) -> str:
    rate = loaded.total / max(loaded.seconds, 1e-3)
    refused = f", {loaded.refused:,} messages refused (_retail_refused)" * bool(loaded.refused)
    return f"{loaded.total:,} rows in {loaded.seconds:.1f} s, {rate:,.0f} a second{refused}"


def _target(to: str | None) -> str:
    """The ClickHouse asked for, else that of the environment."""
    found = [to] if to else [url for url in targets.targets_of(None) if _is_clickhouse(url)]
    if not found:
        raise UserError(
            "to: no ClickHouse is named; write --to clickhouse://USER:PASSWORD@HOST:8123/retail or "
            "--to chdb:./retail.chdb, or set CLICKHOUSE_HOST"
        )
    if not _is_clickhouse(found[0]):
        raise UserError(
            f"to: {redacted(found[0])!r} is no ClickHouse; allowed are clickhouse:// and chdb:"
        )
    return found[0]


def _is_clickhouse(url: str) -> bool:
    return url.partition(":")[0].lower() in _CLICKHOUSE
