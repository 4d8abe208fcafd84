"""Where a store's simulation sends its events besides its database, as commands are told it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retail_datagen.cli.targets import KafkaWishes
from retail_datagen.config.errors import UserError
from retail_datagen.streaming.targets import each_once

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
FEED = "simulation"
StoreId = Annotated[int, typer.Option(min=1, help="The store's number in what --to sends.")]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Targets of a simulation's events, and the store's number there."""

    targets: tuple[str, ...]
    store_id: int
    kafka: KafkaWishes

    @classmethod
    def of(
        cls,
        to: Sequence[str] | None,
        store_id: int,
        topic_prefix: str,
        config: Sequence[str] | None,
        properties: Path | None,
    ) -> Outgoing:
        """As options say it. Raises UserError for a target that is given twice."""
        kafka = KafkaWishes(topic_prefix=topic_prefix, config=config, properties=properties)
        return cls(each_once(to or ()), store_id, kafka)

    def opened(self, engine: Engine) -> AbstractContextManager[tuple[Listener, ...]]:
        """Listeners that send what happens in a database's store. Raises UserError."""
        if not self.targets:
            self.refuse_unheeded()
            return nullcontext(())
        from retail_datagen.streaming.outbox import sending

        options = self.kafka.options(FEED, "UTC", self.targets)
        return sending(self.targets, options, engine, self.store_id)

    def refuse_unheeded(self) -> None:
        """Raise UserError for what is said about targets where there is none."""
        self.kafka.options(FEED, "UTC", ())
        if self.store_id != 1:
            raise UserError(
                "store-id: it is the store's number in what --to sends; give --to, or leave it out"
            )
