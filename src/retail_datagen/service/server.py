"""Serves the application on a port, until it is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, closing

import uvicorn

from retail_datagen.config.errors import UserError
from retail_datagen.core.memory import nothing_is_garbage
from retail_datagen.service.app import create_app
from retail_datagen.service.settings import ServiceSettings
from retail_datagen.store.database import Engine, open_database, refuse_in_memory
from retail_datagen.store.simulation.events import Listener

_ENDS_WITHIN = 10
_LARGEST_MESSAGE = 4096
"""Clients of the live feed have nothing to say."""


def serve(
    settings: ServiceSettings,
    outgoing: Callable[[Engine], AbstractContextManager[Sequence[Listener]]],
    host: str,
    port: int,
    ready: Callable[[str], None],
    log_level: str,
) -> None:
    """Serve until a signal ends it; `ready` is told the address. Port 0 is any that is free.

    `outgoing` opens what else listens to the store's simulations. Raises UserError for an address
    that cannot be had, or a database or target that cannot be used.
    """
    # All requests would share its one connection, and with it their transactions.
    refuse_in_memory(settings.database_url)
    with ExitStack() as stack:
        listening = stack.enter_context(closing(_listen(host, port)))
        engine = open_database(settings.database_url)
        stack.callback(engine.dispose)
        with nothing_is_garbage():
            app = create_app(settings, engine, stack.enter_context(outgoing(engine)))
            server = uvicorn.Server(
                uvicorn.Config(
                    app,
                    log_level=log_level,
                    access_log=log_level == "debug",
                    server_header=False,
                    ws="websockets-sansio",
                    ws_max_size=_LARGEST_MESSAGE,
                    timeout_graceful_shutdown=_ENDS_WITHIN,
                )
            )
        name = f"[{host}]" if ":" in host else host
        ready(f"http://{name}:{listening.getsockname()[1]}")
        server.run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise UserError(f"host: {host!r} is no address of this machine: {error}") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise UserError(
            f"port: {host}:{port} cannot be served: {error.strerror}; give another one by --port"
        ) from None
    return listening
