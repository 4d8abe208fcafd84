"""`retail-datagen serve` serves a store: REST, WebSocket, metrics."""

from __future__ import annotations

import logging
from ipaddress import ip_address
from typing import Annotated

import typer

from retail_datagen.cli import targets
from retail_datagen.cli.outgoing import Outgoing, StoreId, To
from retail_datagen.cli.output_options import Quiet
from retail_datagen.cli.running import tell
from retail_datagen.cli.store_place import Database, needs_store
from retail_datagen.config.errors import UserError
from retail_datagen.store.where import DEFAULT_URL


def register(app: typer.Typer) -> None:
    """Mounts `serve` on the application."""
    app.command("serve")(serve)


def serve(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port; 0 is any that is free.")
    ] = 8000,
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than this machine reach no 127.0.0.1.")
    ] = "127.0.0.1",
    database_url: Database = DEFAULT_URL,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="STORE_API_KEY", metavar="KEY", help="Answer only those who send this key."
        ),
    ] = None,
    cors_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN", help="Pages that may ask, such as http://localhost:3000."),
    ] = None,
    to: To = None,
    store_id: StoreId = 1,
    topic_prefix: targets.TopicPrefix = "",
    kafka_config: targets.KafkaConfig = None,
    kafka_properties: targets.KafkaProperties = None,
    quiet: Quiet = False,
) -> None:
    """Serve a store: products, items, stock, analytics, simulation, live feed. Ctrl-C ends it."""
    with needs_store():
        from retail_datagen.service.server import serve as run
        from retail_datagen.service.settings import ServiceSettings
    if api_key is not None and not api_key.strip():
        raise UserError("api-key: the key is empty; give one, or leave --api-key out")
    if api_key is None and not _is_this_machine(host):
        tell(f"warning: without --api-key, whoever reaches {host}:{port} may change the store")
    outgoing = Outgoing.of(to, store_id, topic_prefix, kafka_config, kafka_properties)
    settings = ServiceSettings(database_url, api_key, tuple(cors_origin or ()))
    debug = logging.getLogger().isEnabledFor(logging.DEBUG)

    def ready(address: str) -> None:
        if not quiet:
            typer.echo(f"the store is served at {address} ({address}/openapi.json); Ctrl-C ends it")

    run(settings, outgoing.opened, host, port, ready, "debug" if debug else "warning")


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
