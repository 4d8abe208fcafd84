"""`retail-datagen stream` sends live events until it is stopped, or for so many minutes."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import ExitStack
from typing import Annotated

import typer
from rich.console import Console

from retail_datagen.cli import stream_options, targets
from retail_datagen.cli.live_line import LiveLine
from retail_datagen.cli.output_options import AsJson, Quiet
from retail_datagen.cli.words import names_of
from retail_datagen.config.errors import UserError
from retail_datagen.engine.stop import JobStopped
from retail_datagen.streaming.clock import speed_of
from retail_datagen.streaming.days import local_time
from retail_datagen.streaming.feed import Chosen, streaming_config
from retail_datagen.streaming.follow import ON_GAP
from retail_datagen.streaming.job import TOPICS, StreamJob, check_stream, run_stream
from retail_datagen.streaming.manner import AsOfNow, Waits, manner_of
from retail_datagen.streaming.metrics import Metrics
from retail_datagen.streaming.narration import FORMAT, LOG, Narration
from retail_datagen.streaming.problems import KINDS, problems_of
from retail_datagen.streaming.scenario import SCENARIOS, sim_start_of
from retail_datagen.streaming.told import Listener, Tally

_PROBLEMS = "; ".join(f"{name}: {kind.doc}" for name, kind in KINDS.items())


def register(app: typer.Typer) -> None:
    """Mounts `stream` on the application."""
    app.command("stream")(stream)


def stream(
    config: stream_options.Config = None,
    duration: Annotated[
        float | None, typer.Option(metavar="MINUTES", help="End after so many minutes.")
    ] = None,
    continuous: Annotated[
        bool, typer.Option("--continuous", help="Until it is stopped, as without --duration.")
    ] = False,
    min_delta: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Least wait between two events; else the config's."),
    ] = None,
    max_delta: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Most wait between two events; else the config's."),
    ] = None,
    rate: Annotated[
        float | None, typer.Option(metavar="N", help="So many events a second, in place of waits.")
    ] = None,
    bursts: Annotated[
        bool,
        typer.Option(
            "--bursts", help="realtime.burst events every realtime.emit_interval_ms instead."
        ),
    ] = False,
    speed: Annotated[
        str | None,
        typer.Option(
            metavar="1|60|max",
            help="Send every event at its own time: in real time, an hour a minute, or at once. "
            "Targets that remember what they hold go on where they were.",
        ),
    ] = None,
    sim_start: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Local time that is played, such as 2024-11-29T17:00."),
    ] = None,
    scenario: Annotated[
        str | None, typer.Option(metavar="|".join(SCENARIOS), help="Play the busiest hour of it.")
    ] = None,
    feed: stream_options.Feed = TOPICS,
    events_per_hour: stream_options.EventsPerHour = None,
    tables: stream_options.Tables = None,
    problem: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=SHARE[,SECONDS]", help=f"A problem, once or more. {_PROBLEMS}."),
    ] = None,
    truth: Annotated[
        str | None,
        typer.Option(metavar="FILE|URL", help="Where the truth about problems goes, a line each."),
    ] = None,
    on_gap: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(ON_GAP),
            help="With --speed: what became due while nothing ran; else fill, and skip where the "
            "target remembers nothing.",
        ),
    ] = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT", min=0, max=65535, help="Prometheus metrics on that local port."
        ),
    ] = None,
    no_dimensions: stream_options.NoDimensions = False,
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
    """Send live events: one, then a random wait; or as fast as, or when, they happened."""
    if continuous and duration is not None:
        raise UserError("duration: --duration ends what --continuous does not; leave one out")
    played = speed_of(speed) if speed is not None else None
    chosen = Chosen(streaming_config(config), feed, _thinned(events_per_hour, feed, played))
    zone = chosen.config.timezone
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
    manner = manner_of(
        speed=played,
        rate=rate,
        bursts=bursts,
        waits=Waits(min_delta, max_delta),
        sim_start=None if sim_start is None else sim_start_of(sim_start, zone),
        scenario=scenario,
        on_gap=on_gap,
    )
    job = StreamJob(
        chosen=chosen,
        targets=urls,
        options=wishes.options(feed, zone, [*urls, *([truth] if truth else [])]),
        manner=manner,
        problems=problems_of(problem or (), chosen.config.seed),
        tables=names_of(tables),
        minutes=duration,
        truth=truth,
        master=None if no_dimensions else chosen.config.paths.master,
    )
    play(job, metrics_port, quiet, as_json)


def _thinned(events_per_hour: float | None, feed: str, speed: float | None) -> float | None:
    """To how many events an hour the hub is thinned: none where they go at a pace of their own."""
    if speed is None and events_per_hour is not None:
        raise UserError(
            "events-per-hour: events go at the pace that is asked for; give --rate, or --speed, "
            "which plays a history of so many"
        )
    return None if speed is None else stream_options.events_per_hour_of(events_per_hour, feed)


def play(job: StreamJob, metrics_port: int | None, quiet: bool, as_json: bool) -> None:
    """Run a stream with what shows it, and say in the end what was sent, stopped or not."""
    tally, zone = Tally(), job.chosen.config.timezone
    try:
        _shown(job, tally, metrics_port, quiet or as_json)
    except JobStopped as stop:
        _print_tally(tally, zone, quiet, as_json, stopped=f"; {_how_to_go_on(job, tally)}")
        raise typer.Exit(stop.exit_code) from None
    _print_tally(tally, zone, quiet, as_json)


def _how_to_go_on(job: StreamJob, tally: Tally) -> str:
    manner = job.manner
    if isinstance(manner, AsOfNow):
        return "run the same command again for more, as of then"
    if tally.opened.all:
        return "run the same command again to go on"
    begins = "as of then" if manner.is_live and manner.history is None else "anew"
    if tally.opened.some:
        return (
            "run the same command again to go on; for targets that remember nothing, such as "
            f"jsonl:, it begins {begins}"
        )
    return f"the target does not remember them: the same command begins {begins}"


def _shown(job: StreamJob, tally: Tally, metrics_port: int | None, silent: bool) -> None:
    """Counters, metrics and, event by event, log lines."""
    check_stream(job)
    terminal = Console(stderr=True)
    listeners: list[Listener] = [tally]
    with ExitStack() as stack:
        if metrics_port is not None:
            metrics = stack.enter_context(Metrics(metrics_port))
            listeners.append(metrics)
        if not job.one_by_one:
            if terminal.is_terminal and not silent:
                zone = job.chosen.config.timezone
                listeners.append(stack.enter_context(LiveLine(terminal, zone)))
            run_stream(job, listeners)
            return
        if not silent:
            _say_log_lines(stack)
        narration = Narration()
        try:
            run_stream(job, listeners, narration)
        except JobStopped:
            narration.interrupted()
            narration.end()
            raise
        narration.end()


def _say_log_lines(stack: ExitStack) -> None:
    """Let the stream's log lines be seen, whatever the level of others."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(FORMAT))
    before = LOG.level, LOG.propagate
    LOG.addHandler(handler)
    LOG.propagate = False
    if LOG.getEffectiveLevel() > logging.INFO:
        LOG.setLevel(logging.INFO)

    def restore() -> None:
        LOG.removeHandler(handler)
        LOG.setLevel(before[0])
        LOG.propagate = before[1]

    stack.callback(restore)


def _print_tally(tally: Tally, zone: str, quiet: bool, as_json: bool, stopped: str = "") -> None:
    """What was sent, and how to go on: not to the standard output, which may be a target."""
    until = local_time(tally.until, zone).isoformat(timespec="seconds") if tally.until else None
    if as_json:
        told = {
            "events": tally.events,
            "rows": dict(tally.rows),
            "commits": tally.commits,
            "days": tally.days,
            "problems": dict(tally.problems),
            "until": until,
        }
        typer.echo(json.dumps(told, indent=2), err=True)
        return
    if quiet:
        return
    text = f"{tally.events:,} events sent" + (f", until {until}" if until else "")
    typer.echo(f"stopped: {text}{stopped}" if stopped else text, err=True)
