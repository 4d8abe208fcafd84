"""`retail-datagen kafka` looks after what jobs made in a Kafka cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from retail_datagen.cli import targets
from retail_datagen.config.errors import UserError
from retail_datagen.sinks import redacted
from retail_datagen.sinks.kafka_drop import Made, Removal


def register(app: typer.Typer) -> None:
    """Mounts `kafka` on the application."""
    kafka = typer.Typer(help="Look after what jobs made in a Kafka cluster.", no_args_is_help=True)
    kafka.callback()(_group)
    kafka.command("drop")(drop)
    app.add_typer(kafka, name="kafka")


def _group() -> None:
    """A callback keeps `drop` a command of its own while it is the only one."""


def drop(
    to: Annotated[
        str,
        typer.Option(metavar="URL", help="kafka://HOST:9092; else KAFKA_BOOTSTRAP_SERVERS."),
    ] = "kafka:",
    topic_prefix: targets.TopicPrefix = targets.PLAIN.topic_prefix,
    kafka_config: targets.KafkaConfig = None,
    kafka_properties: targets.KafkaProperties = None,
    broker_timeout: targets.BrokerTimeout = targets.PLAIN.broker_timeout,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Take away the topics that jobs made, and what they remembered; asks first.

    Topics that others made stay, with all that was sent to them, and are named.
    """
    if not to.startswith("kafka:"):
        raise UserError(f"to: {redacted(to)!r} is no Kafka cluster; write kafka://HOST:9092")
    wishes = targets.KafkaWishes(
        topic_prefix=topic_prefix,
        config=kafka_config,
        properties=kafka_properties,
        broker_timeout=broker_timeout,
    )
    removal = Removal(to.removeprefix("kafka:"), wishes.kafka)
    made = removal.find()
    names = [*made.topics, *made.checkpoints]
    if not names:
        typer.echo(f"nothing of ours is at {removal.servers}")
        return
    _list(f"{len(names)} topics at {removal.servers}, with all their messages:", names)
    if made.of_others:
        stay = "topics that others made stay as they are; the next backfill sends it all again into"
        _list(f"{stay}:", made.of_others)
    if not yes and not typer.confirm("Remove them?"):
        typer.echo("nothing was removed")
        raise typer.Exit(1)
    removal.remove(made)
    typer.echo(_removed(made))


def _list(about: str, names: Sequence[str]) -> None:
    typer.echo(about)
    for name in names:
        typer.echo(f"  {name}")


def _removed(made: Made) -> str:
    return f"removed {len(made.topics)} topics and {len(made.checkpoints)} checkpoints"
