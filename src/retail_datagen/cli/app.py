"""`retail-datagen`: which commands there are, and how errors reach people.

Only the command that is called is imported, so that help and errors are quick.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated

import typer

from retail_datagen.cli.running import INTERRUPTED, USER_ERROR, output_fails, run, tell
from retail_datagen.config.errors import UserError
from retail_datagen.core.memory import nothing_is_garbage
from retail_datagen.core.version import program_version

_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_TELL_TWICE = ("urllib3.connectionpool", "clickhouse_connect")
"""Libraries that also log what they raise, which is told once, in words of ours."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command, the module whose `register(app)` mounts it, and its line in the help."""

    name: str
    module: str
    help: str


COMMANDS = (
    Command(
        "init",
        "retail_datagen.cli.config_commands",
        "Write a configuration file with every setting, its default and what it means.",
    ),
    Command("config", "retail_datagen.cli.config_commands", "Look at the configuration in force."),
    Command(
        "master",
        "retail_datagen.cli.master_command",
        "Write stores, products, customers and the rest of the world under paths.master.",
    ),
    Command(
        "generate",
        "retail_datagen.cli.generate_command",
        "Generate the fact tables of a range of days; run again, it goes on where it stopped.",
    ),
    Command(
        "verify",
        "retail_datagen.cli.verify_command",
        "Check a history on its files alone: keys, sums, stock, trucks, prices, hours, checksums.",
    ),
    Command(
        "serve",
        "retail_datagen.cli.serve_command",
        "Serve a store: products, items, stock, analytics, simulation, live feed. Ctrl-C ends it.",
    ),
    Command(
        "simulate",
        "retail_datagen.cli.simulate_command",
        "Simulate a store live: shoppers, staff, RFID readers. Stop it with Ctrl-C.",
    ),
    Command(
        "backlog",
        "retail_datagen.cli.backlog_command",
        "Fill a lake with years of a web shop's days, in object storage or a folder.",
    ),
    Command(
        "lake",
        "retail_datagen.cli.lake_commands",
        "Check, list, upload and repair a lake, wherever it lies.",
    ),
    Command(
        "backfill",
        "retail_datagen.cli.backfill_command",
        "Send a history of events to Kafka, a database or a file; run again, it goes on.",
    ),
    Command(
        "stream",
        "retail_datagen.cli.stream_command",
        "Send live events: one, then a random wait; or as fast as, or when, they happened.",
    ),
    Command(
        "gaps",
        "retail_datagen.cli.gaps_command",
        "List the days that a target lacks of a history, wholly or in part; or fill them.",
    ),
    Command(
        "kafka",
        "retail_datagen.cli.kafka_commands",
        "Look after what jobs made in a Kafka cluster.",
    ),
    Command(
        "clickhouse",
        "retail_datagen.cli.clickhouse_commands",
        "Make the ClickHouse database for dashboards, or take it away.",
    ),
    Command(
        "powerbi",
        "retail_datagen.cli.powerbi_command",
        "Write .pbids files that open Power BI at ClickHouse, PostgreSQL or a folder.",
    ),
    Command(
        "load",
        "retail_datagen.cli.load_command",
        "Load Kafka topics into ClickHouse, each message once; run again, it goes on.",
    ),
    Command(
        "inventory",
        "retail_datagen.cli.store_commands",
        "Fill a store of RFID-tagged items: its inventory, and a past for it.",
    ),
    Command("store", "retail_datagen.cli.store_commands", "Check a store's books, or empty it."),
)


def build_app(called: str | None = None) -> typer.Typer:
    """The application. With `called`, all commands but that one are names in the help only."""
    app = typer.Typer(
        help="One seed, one coherent synthetic retailer.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    mounted = set()
    for command in COMMANDS:
        if called is not None and called != command.name:
            app.command(command.name, help=command.help)(_not_called)
        elif command.module not in mounted:
            mounted.add(command.module)
            _mount(app, command, called)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code; errors for people have no traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # Nothing here multiplies matrices, yet NumPy would start a thread per core that waits to.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    completing = any(name.endswith("_COMPLETE") for name in os.environ)
    called = next((word for word in given if not word.startswith("-")), "")
    try:
        with nothing_is_garbage():
            app = build_app(None if completing else called)
        sys.exit(run(app, given))
    except UserError as error:
        if "--debug" in given:
            raise
        tell(f"error: {error}", typer.colors.RED)
        if output_fails():
            # Else Python complains once more when it flushes what cannot be written.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(USER_ERROR)
    except typer.Abort:
        tell("nothing was changed: the question was not answered with y; --yes answers it")
        sys.exit(1)
    except KeyboardInterrupt:
        tell("stopped before anything was written")
        sys.exit(INTERRUPTED)


def _mount(app: typer.Typer, command: Command, called: str | None) -> None:
    """Mount what the command's module registers, or of that only the command called."""
    module = import_module(command.module)
    if called is None:
        module.register(app)
        return
    own = typer.Typer()
    module.register(own)
    app.registered_commands += [
        c for c in own.registered_commands if (c.name or "") == command.name
    ]
    app.registered_groups += [g for g in own.registered_groups if g.name == command.name]


def _not_called() -> None:
    """Stands for a command whose module was not imported."""


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"retail-datagen {program_version()}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", is_eager=True, callback=_print_version
        ),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Log everything and show where errors come from.")
    ] = False,
) -> None:
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.WARNING, format=_LOG_FORMAT, stream=sys.stderr
    )
    for name in _TELL_TWICE:
        logging.getLogger(name).setLevel(logging.NOTSET if debug else logging.ERROR)


if __name__ == "__main__":
    main()
