"""`retail-datagen backfill` sends a history of events; run again, it goes on, each event once."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Annotated

import typer
from rich.console import Console

from retail_datagen.cli import stream_options, targets
from retail_datagen.cli.finished import print_summary, told_when_stopped
from retail_datagen.cli.output_options import AsJson, Quiet
from retail_datagen.cli.progress import ProgressBar
from retail_datagen.cli.stream_command import play
from retail_datagen.cli.words import names_of
from retail_datagen.config.errors import UserError
from retail_datagen.config.models import RetailConfig
from retail_datagen.core.calendar import day_of, to_date
from retail_datagen.engine.events import Listener
from retail_datagen.sinks import redacted
from retail_datagen.streaming.backfill import Backfill, months_until_yesterday, run_backfill
from retail_datagen.streaming.days import local_day
from retail_datagen.streaming.feed import FACTS, HUB, NAMES, Chosen, streaming_config
from retail_datagen.streaming.job import StreamJob
from retail_datagen.streaming.manner import AtOwnTime
from retail_datagen.streaming.problems import problems_of

_MONTHS = 12


def register(app: typer.Typer) -> None:
    """Mounts `backfill` on the application."""
    app.command("backfill")(backfill)


def backfill(
    config: stream_options.Config = None,
    months: Annotated[
        int | None,
        typer.Option(
            metavar="N", help=f"Months of 30 days, until yesterday; {_MONTHS} without --start."
        ),
    ] = None,
    start: Annotated[
        str | None, typer.Option(metavar="DAY", help="First day, in place of --months.")
    ] = None,
    end: Annotated[
        str | None,
        typer.Option(
            metavar="DAY", help="Last day, itself included, beside --start; else yesterday."
        ),
    ] = None,
    events_per_hour: stream_options.EventsPerHour = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every fact of the range: each fact table, whole.")
    ] = False,
    feed: Annotated[
        str | None,
        typer.Option(metavar="|".join(NAMES), help="Which events; hub without --all."),
    ] = None,
    tables: stream_options.Tables = None,
    to: targets.To = None,
    format: targets.Format = targets.PLAIN.format,
    envelope: targets.Envelope = targets.PLAIN.envelope,
    registry: targets.Registry = targets.PLAIN.registry,
    partitions: targets.Partitions = targets.PLAIN.partitions,
    replication: targets.Replication = None,
    retention: targets.Retention = None,
    topic_prefix: targets.TopicPrefix = targets.PLAIN.topic_prefix,
    kafka_config: targets.KafkaConfig = None,
    kafka_properties: targets.KafkaProperties = None,
    broker_timeout: targets.BrokerTimeout = targets.PLAIN.broker_timeout,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Remove what the target holds of it; start anew.")
    ] = False,
    then_live: Annotated[
        bool,
        typer.Option(
            "--then-live", help="Then go on with what happens now, each event at its time."
        ),
    ] = False,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT", min=0, max=65535, help="With --then-live: Prometheus metrics there."
        ),
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Send a history of events to Kafka, a database or a file; run again, it goes on."""
    urls = targets.targets_of(to)
    if metrics_port is not None and not then_live:
        raise UserError(
            "metrics-port: metrics are of what is live; give --then-live, or leave it out"
        )
    wishes = targets.KafkaWishes(
        format=format,
        envelope=envelope,
        registry=registry,
        partitions=partitions,
        replication=replication,
        retention=retention,
        topic_prefix=topic_prefix,
        config=kafka_config,
        properties=kafka_properties,
        broker_timeout=broker_timeout,
    )
    with told_when_stopped(quiet):
        chosen = _chosen(streaming_config(config), feed, everything, events_per_hour)
        zone = chosen.config.timezone
        first, last = _days(months, start, end, zone, then_live)
        how = wishes.options(chosen.feed, zone, urls)
        for target in urls:
            asked = Backfill(
                source=chosen.source,
                target=target,
                options=how,
                facts=chosen.config.paths.facts,
                first_day=first,
                last_day=last,
                tables=names_of(tables),
                overwrite=overwrite,
                master=chosen.config.paths.master,
            )
            _run(asked, quiet, as_json)
    if then_live:
        job = StreamJob(
            chosen=chosen,
            targets=urls,
            options=how,
            manner=AtOwnTime(speed=1, on_gap="fill", history=(first, last)),
            problems=problems_of((), chosen.config.seed),
            tables=names_of(tables),
        )
        play(job, metrics_port, quiet, as_json)


def _run(asked: Backfill, quiet: bool, as_json: bool) -> None:
    terminal = Console(stderr=True)
    listeners: list[Listener] = []
    with ExitStack() as stack:
        if terminal.is_terminal and not quiet and not as_json:
            listeners.append(stack.enter_context(ProgressBar(terminal)))
        summary = run_backfill(asked, listeners)
    print_summary(summary, redacted(asked.target), quiet, as_json)


def _chosen(
    config: RetailConfig, feed: str | None, everything: bool, events_per_hour: float | None
) -> Chosen:
    """The events that are sent. Raises UserError for options that contradict each other."""
    if not everything:
        name = feed or HUB
        return Chosen(config, name, stream_options.events_per_hour_of(events_per_hour, name))
    if feed not in (None, FACTS):
        raise UserError(
            f"feed: {feed!r} cannot stand beside --all, which sends every fact table; leave one out"
        )
    if events_per_hour is not None:
        raise UserError(
            "events-per-hour: --all sends every fact, and nothing is thinned; leave one of both out"
        )
    return Chosen(config, FACTS)


def _days(
    months: int | None, start: str | None, end: str | None, zone: str, then_live: bool
) -> tuple[int, int]:
    """First and last day of the history; one that goes on live ends with yesterday at the latest.

    Raises UserError.
    """
    if start is None:
        if end is not None:
            raise UserError("end: --end goes with --start; give both, or --months alone")
        return months_until_yesterday(_MONTHS if months is None else months, zone)
    if months is not None:
        raise UserError("months: --months cannot stand beside --start; give --end")
    yesterday = local_day(time.time_ns() // 1_000_000, zone) - 1
    first, last = day_of("start", start), yesterday if end is None else day_of("end", end)
    if then_live and max(first, last) > yesterday:
        raise UserError(
            f"{'end' if last > yesterday else 'start'}: with --then-live history ends before "
            f"today; give {to_date(yesterday)} or an earlier day"
        )
    if end is None and first > yesterday:
        raise UserError(
            f"start: {to_date(first)} is after yesterday, with which history ends where no --end "
            f"is given; give {to_date(yesterday)} or an earlier day, or --end too"
        )
    return first, last
