"""`retail-datagen gaps` lists what a target lacks of its history, and fills it with `--fill`."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Annotated

import typer

from retail_datagen.cli import stream_options, targets
from retail_datagen.cli.finished import print_summary, told_when_stopped
from retail_datagen.cli.output_options import AsJson, Quiet
from retail_datagen.cli.words import names_of
from retail_datagen.core.calendar import day_of, to_date
from retail_datagen.sinks import StreamOptions, redacted
from retail_datagen.streaming.backfill import Backfill, run_backfill
from retail_datagen.streaming.days import local_day
from retail_datagen.streaming.feed import HUB, Chosen, streaming_config
from retail_datagen.streaming.gaps import Coverage, Gap, find_gaps


def register(app: typer.Typer) -> None:
    """Mounts `gaps` on the application."""
    app.command("gaps")(gaps)


def gaps(
    config: stream_options.Config = None,
    feed: stream_options.Feed = HUB,
    events_per_hour: stream_options.EventsPerHour = None,
    tables: stream_options.Tables = None,
    start: Annotated[
        str | None, typer.Option(metavar="DAY", help="First day; else the history's.")
    ] = None,
    end: Annotated[
        str | None, typer.Option(metavar="DAY", help="Last day, itself included; else yesterday.")
    ] = None,
    fill: Annotated[bool, typer.Option("--fill", help="Send what lacks.")] = False,
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
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """List the days that a target lacks of a history, wholly or in part; or fill them.

    Ends with 1 where something lacks and was not filled.
    """
    thinned = stream_options.events_per_hour_of(events_per_hour, feed)
    chosen = Chosen(streaming_config(config), feed, thinned)
    urls = targets.targets_of(to)
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
    how = wishes.options(feed, chosen.config.timezone, urls)
    days = (
        None if start is None else day_of("start", start),
        None if end is None else day_of("end", end),
    )
    lacks = False
    for target in urls:
        found = find_gaps(
            chosen,
            target,
            how,
            local_day(time.time_ns() // 1_000_000, chosen.config.timezone),
            days,
            names_of(tables),
        )
        if not quiet:
            _print(found, target, as_json)
        if fill and found.gaps:
            with told_when_stopped(quiet):
                _fill(chosen, target, how, found, names_of(tables), quiet, as_json)
        elif found.gaps:
            lacks = True
    if lacks:
        raise typer.Exit(1)


def _fill(
    chosen: Chosen,
    target: str,
    how: StreamOptions,
    found: Coverage,
    tables: tuple[str, ...],
    quiet: bool,
    as_json: bool,
) -> None:
    asked = Backfill(
        source=chosen.source,
        target=target,
        options=how,
        facts=chosen.config.paths.facts,
        first_day=found.gaps[0].first_day,
        last_day=max(gap.last_day for gap in found.gaps),
        tables=tables,
        master=chosen.config.paths.master,
    )
    print_summary(run_backfill(asked), redacted(target), quiet or as_json, False)


def _print(found: Coverage, target: str, as_json: bool) -> None:
    first, last = to_date(found.first_day), to_date(found.last_day)
    if as_json:
        told = {
            "target": redacted(target),
            "history_start": to_date(found.history_start).isoformat(),
            "first_day": None if found.is_empty else first.isoformat(),
            "last_day": None if found.is_empty else last.isoformat(),
            "gaps": [
                {
                    **asdict(gap),
                    "first_day": to_date(gap.first_day).isoformat(),
                    "last_day": to_date(gap.last_day).isoformat(),
                }
                for gap in found.gaps
            ],
        }
        typer.echo(json.dumps(told, indent=2))
        return
    if found.is_empty:
        begins = f"the history begins on {to_date(found.history_start)}"
        typer.echo(f"{redacted(target)}: nothing to look at before today; {begins}")
        return
    for gap in found.gaps:
        typer.echo(_line(gap))
    many = f"{len(found.gaps):,} gaps" if len(found.gaps) != 1 else "1 gap"
    typer.echo(f"{redacted(target)}: {many if found.gaps else 'no gap'} from {first} to {last}")


def _line(gap: Gap) -> str:
    days = f"{to_date(gap.first_day)}"
    if gap.last_day != gap.first_day:
        days += f" to {to_date(gap.last_day)}"
    if gap.is_partial:
        held = ", ".join(f"{first:,} to {end - 1:,}" for first, end in gap.held)
        return f"{days}  {', '.join(gap.tables)}: in part; there are rows {held}"
    return f"{days}  {', '.join(gap.tables)}: missing"
