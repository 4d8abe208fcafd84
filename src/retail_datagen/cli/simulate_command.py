"""`retail-datagen simulate` runs a store's live simulation, here or on a server."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from retail_datagen.cli import targets
from retail_datagen.cli.outgoing import Outgoing, StoreId, To
from retail_datagen.cli.output_options import Quiet
from retail_datagen.cli.store_place import (
    Api,
    ApiKey,
    DatabaseUrl,
    Kept,
    needs_store,
    opened_store,
    place_of,
)
from retail_datagen.config.errors import UserError
from retail_datagen.engine.stop import JobStopped, stop_on_signals
from retail_datagen.store.simulation.narrate import LogLine, clock_text, money
from retail_datagen.store.simulation.settings import Settings

if TYPE_CHECKING:
    from retail_datagen.store.live import LiveRun, Status
    from retail_datagen.store.remote_run import RemoteRun

_LOOK_SECONDS = 0.25
_ASK_SECONDS = 1.0
_STATUS_SECONDS = 10.0
_DEFAULTS = Settings()


def register(app: typer.Typer) -> None:
    """Mounts `simulate` on the application."""
    app.command("simulate")(simulate)


def simulate(
    analytics: Annotated[
        bool,
        typer.Option("--analytics", help="Keep snapshots and readings; sales always are."),
    ] = False,
    mode: Annotated[
        str, typer.Option(metavar="MODE", help="Shoppers and habits: demo, realistic or stress.")
    ] = _DEFAULTS.mode,
    speed: Annotated[
        float, typer.Option(metavar="X", help="Simulated seconds to a real one, 0.5 to 5.0.")
    ] = _DEFAULTS.speed,
    disappearance: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="Share of the items within reach on a walk of an aisle that leave with the "
            "shopper.",
        ),
    ] = _DEFAULTS.disappearance,
    snapshot_interval: Annotated[
        int, typer.Option(metavar="SECONDS", help="Simulated seconds between snapshots.")
    ] = _DEFAULTS.snapshot_interval,
    duration: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Simulated seconds to run; else until stopped."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="What chance is drawn from.")] = (
        _DEFAULTS.seed
    ),
    api: Api = None,
    api_key: ApiKey = None,
    database_url: DatabaseUrl = None,
    to: To = None,
    store_id: StoreId = 1,
    topic_prefix: targets.TopicPrefix = "",
    kafka_config: targets.KafkaConfig = None,
    kafka_properties: targets.KafkaProperties = None,
    unpaced: Annotated[
        bool, typer.Option("--unpaced", help="Do not wait for real time; needs --duration.")
    ] = False,
    quiet: Quiet = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the last status as JSON.")] = False,
) -> None:
    """Simulate a store live: shoppers, staff, RFID readers. Stop it with Ctrl-C."""
    settings = Settings(mode, speed, disappearance, snapshot_interval, duration, seed, analytics)
    place = place_of(api, database_url)
    silent = quiet or as_json
    outgoing = Outgoing.of(to, store_id, topic_prefix, kafka_config, kafka_properties)
    with needs_store():
        if isinstance(place, Kept):
            if unpaced and duration is None:
                raise UserError("unpaced: it needs --duration, or has no end")
            _here(place.url, settings, outgoing, unpaced, silent, as_json)
            return
        if unpaced:
            raise UserError("unpaced: a server keeps to real time; name the store's database")
        if to:
            raise UserError("to: a server's simulation sends where `serve --to` says")
        outgoing.refuse_unheeded()
        _there(place.url, api_key, settings, silent, as_json)


def _here(
    url: str, settings: Settings, outgoing: Outgoing, unpaced: bool, silent: bool, as_json: bool
) -> None:
    from retail_datagen.store.live import start_simulation

    with opened_store(url, create=False) as engine, outgoing.opened(engine) as listeners:
        run = start_simulation(engine, settings, listeners, paced=not unpaced)
        try:
            if not silent:
                typer.echo(_heading(run.status()))
            _follow(run, silent)
        finally:
            status = run.stop()
    if as_json:
        typer.echo(json.dumps({**asdict(status), "started": status.started.isoformat()}, indent=2))
    elif not silent:
        typer.echo(_summary(status))
    run.raise_if_failed()


def _follow(run: LiveRun, quiet: bool) -> None:
    """Print what happens until it ends, or until it is told to."""
    shown, next_status = 0, time.monotonic() + _STATUS_SECONDS
    try:
        with stop_on_signals():
            over = False
            while not over:
                over = run.wait(_LOOK_SECONDS)
                lines = run.log.after(shown)
                shown = lines[-1].number if lines else shown
                if quiet:
                    continue
                for line in lines:
                    typer.echo(_line(line))
                if time.monotonic() >= next_status:
                    next_status += _STATUS_SECONDS
                    typer.echo(_state(run.status()))
    except JobStopped:
        pass  # a simulation has no other end


def _there(url: str, key: str | None, settings: Settings, silent: bool, as_json: bool) -> None:
    from retail_datagen.store.http import StoreClient
    from retail_datagen.store.remote_run import RemoteRun

    with StoreClient(url, key) as server:
        _remotely(server.url, RemoteRun(server), settings, silent, as_json)


def _remotely(url: str, run: RemoteRun, settings: Settings, quiet: bool, as_json: bool) -> None:
    run.start(settings)
    if not quiet:
        typer.echo(f"{url} simulates: {_settings(settings)}; stop it with Ctrl-C")
    shown, running = 0, True
    try:
        with stop_on_signals():
            while running:
                time.sleep(_ASK_SECONDS)
                running = run.status().get("state") == "running"
                for number, text in run.logs(shown):
                    shown = max(shown, number)
                    if not quiet:
                        typer.echo(text)
    except JobStopped:
        run.stop()
    last = run.status()
    if as_json:
        typer.echo(json.dumps(last, indent=2))
    elif not quiet:
        counts = ", ".join(f"{name} {value}" for name, value in last.get("counts", {}).items())
        typer.echo(f"{last.get('state')} at {last.get('clock')}: {counts}")
    if last.get("state") == "failed":
        raise UserError(f"the simulation on {url} failed: {last.get('error')}")


def _heading(status: Status) -> str:
    return (
        f"{status.items_present:,} items of {status.products:,} products, "
        f"{_settings(status.settings)}; the clock begins at {clock_text(status.began)}"
    )


def _settings(s: Settings) -> str:
    return s.in_words()


def _line(line: LogLine) -> str:
    return f"{clock_text(line.at)}  {line.text}"


def _state(status: Status) -> str:
    tally = status.tally
    return (
        f"{clock_text(status.now)}  {status.shoppers} shoppers, {status.items_present:,} items "
        f"present, {status.items_missing:,} missing; so far {tally.sold:,} sold, "
        f"{tally.restocked:,} restocked, {tally.stolen:,} stolen"
    )


def _summary(status: Status) -> str:
    tally = status.tally
    return (
        f"{status.state} at {clock_text(status.now)}: {status.visitors:,} shoppers, "
        f"{tally.baskets:,} baskets, {tally.sold:,} items sold for {money(tally.revenue)}, "
        f"{tally.restocked:,} restocked, {tally.stolen:,} stolen; "
        f"{tally.detections:,} readings, snapshots: {tally.snapshots:,}; "
        f"{status.times_real:,.1f} × real time"
    )
