"""Where a store's simulation sends its events besides its database, as commands are told it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from retail_datagen.cli.targets import KafkaWishes

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from retail_datagen.store.simulation.events import Listener

To = Annotated[
    list[str] | None,
    typer.Option(
        "--to",
        metavar="URL",
        help="Send what happens to topics as well, once or more: kafka://HOST:9092, "
        "clickhouse://…, jsonl:FILE and others.",
    ),
]
StoreId = Annotated[int, typer.Option(min=1, help="The store's number in what --to sends.")]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Targets of a simulation's events, and the store's number there."""

    targets: tuple[str, ...]
    store_id: int
    kafka: KafkaWishes

    def opened(self, engine: Engine) -> AbstractContextManager[tuple[Listener, ...]]:
        """Listeners that send what happens in a database's store. Raises UserError."""
        if not self.targets:
            return nullcontext(())
        from retail_datagen.streaming.outbox import FEED, sending

        return sending(
            self.targets, self.kafka.options(FEED, "UTC", self.targets), engine, self.store_id
        )
