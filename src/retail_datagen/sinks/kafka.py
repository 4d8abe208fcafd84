"""Kafka: `kafka://host:9092,host2:9092`; a row is a message, a commit is a transaction.

What is there is remembered in the cluster itself, in the same transactions as the messages, so
that after any crash each event is there once for whoever reads what is committed.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import uuid4

import pyarrow as pa

from retail_datagen.core.memory import no_garbage_meanwhile
from retail_datagen.schema.stamps import Stamped, stamp
from retail_datagen.schema.table import Table
from retail_datagen.sinks.base import Capabilities, SinkError, Unit, conform
from retail_datagen.sinks.kafka_checkpoint import (
    Key,
    checkpoint_topic,
    commit_entry,
    day_entry,
    emptied_entry,
    entries,
    header_entry,
)
from retail_datagen.sinks.kafka_cluster import Topic
from retail_datagen.sinks.kafka_session import Look, Session
from retail_datagen.sinks.kafka_settings import Settings
from retail_datagen.sinks.kafka_transactions import Aborted
from retail_datagen.sinks.kafka_waiting import Patience
from retail_datagen.sinks.options import KafkaOptions, StreamOptions
from retail_datagen.sinks.progress import PartitionRecord, Progress, Ranges
from retail_datagen.wire.messages import Content, Encoder, Messages

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
_BATCH_ROWS = 8192
"""Rows that are encoded at once: their texts fit the processor's cache."""


@dataclass(frozen=True, slots=True)
class _Parcel:
    """Rows that were sent in the open transaction; `rows` are those of them that count.

    `broken` are message values in place of the rows' own, if they are broken on purpose.
    """

    topic: str
    stamped: Stamped
    rows: Ranges
    broken: tuple[bytes, ...] = ()


class KafkaSink:
    """Rows as messages of a topic a table, and what is remembered of them.

    Connects when it is first asked for something, and as the only writer of its feed when it is
    given something or told to `recover`: who only looks disturbs nobody. `transactional` False is
    for services that have no transactions: then a crash may leave events twice.
    """

    root = None
    elsewhere = "another --topic-prefix"

    def __init__(
        self,
        settings: Settings,
        options: StreamOptions,
        encoder: Encoder,
        transactional: bool = True,
    ) -> None:
        self.capabilities = Capabilities(
            atomic_unit=Unit.PARTITION if transactional else Unit.ROW,
            idempotent=False,
            transactional=transactional,
            durable=True,
            parallel=False,
            remembers=True,
            raw=True,
        )
        self.name = _name(settings.servers, options.kafka.topic_prefix, options.feed)
        self.where = f"the feed {options.feed!r} at kafka://{settings.servers}" + (
            f" with the topic prefix {options.kafka.topic_prefix!r}"
            if options.kafka.topic_prefix
            else ""
        )
        self.format = encoder.format
        self._settings = settings
        self._options = options
        self._encoder = encoder
        self._transactional = transactional
        self._writes = False
        self._look: Look | None = None
        self._session: Session | None = None
        self._parcels: list[_Parcel] = []
        self._changed: dict[Key, Progress] = {}

    def read_header(self) -> str | None:
        return self._seen().checkpoint.header

    def write_header(self, text: str) -> None:
        session = self._connected()
        session.remember([header_entry(text)])
        session.checkpoint.header = text

    def progress(self) -> Mapping[Key, Progress]:
        return self._seen().days()

    def append(self, table: Table, day: int, first: int, rows: pa.Table) -> None:
        rows = conform(table, rows)
        stamped = stamp(table, day, first, rows, self._options.zone)
        self._put(_Parcel(self._topic(table), stamped, ((0, rows.num_rows),)))
        known = self._known(table.name, day)
        self._changed[table.name, day] = known.plus(first, first + rows.num_rows)

    def send(self, stamped: Stamped) -> None:
        rows = ((0, stamped.rows.num_rows),)
        self._put(_Parcel(self._topic(stamped.table), stamped, rows))

    def messages(self, stamped: Stamped) -> list[bytes]:
        return [told.values[0] or b"" for told in self._one_by_one(stamped)]

    def send_raw(self, stamped: Stamped, messages: Sequence[bytes]) -> None:
        rows = ((0, stamped.rows.num_rows),)
        self._put(_Parcel(self._topic(stamped.table), stamped, rows, tuple(messages)))

    def write_partition(self, table: Table, day: int, data: pa.Table) -> PartitionRecord:
        data = conform(table, data)
        topic, count = self._topic(table), data.num_rows
        stamped = stamp(table, day, 0, data, self._options.zone)
        lacking = self._known(table.name, day).lacks(count)
        content = self._put(_Parcel(topic, stamped, lacking), whole=True)
        record = PartitionRecord(table.name, day, topic, count, content.bytes, content.sha256)
        there = self._connected().checkpoint.days.get((table.name, day))
        if there and there.record and there.record != record:
            raise SinkError(
                f"topic {topic} holds another {table.name} of that day than the one made now; "
                "start anew with --overwrite, or choose another --topic-prefix"
            )
        whole: Ranges = ((0, count),) if count else ()
        self._changed[table.name, day] = Progress(table.name, day, whole, record)
        return record

    def commit(self) -> None:
        if not self._parcels and not self._changed:
            return
        token = uuid4().hex
        self._trying(lambda: self._settle(token))
        checkpoint = self._connected().checkpoint
        checkpoint.days |= self._changed
        self._parcels.clear()
        self._changed.clear()

    def check(self, record: PartitionRecord) -> bool:
        known = self._seen().checkpoint.days.get((record.table, record.day))
        return known is not None and known.record == record

    def holds(self, tables: Iterable[str]) -> bool:
        wanted = set(tables)
        return any(table in wanted for table, _ in self._seen().checkpoint.days)

    def recover(self, tables: Iterable[str]) -> None:
        """Take back what is not committed; whoever wrote before is shut out when we connect."""
        self.close()
        self._writes = True

    def clear(self, tables: Iterable[str]) -> None:
        """Delete all messages of these tables' topics, with what is remembered of them.

        A topic that was made for us is taken away, and made anew when it is needed: by that its
        readers know that what comes is no continuation, and `load` replaces what it had loaded.
        One that others made is emptied, since we could not make it as they did, which is noted for
        `load`; where that cannot be, it is taken away as well.
        """
        self.close()
        session = self._connected()
        wanted = set(tables)
        checkpoint = session.checkpoint
        held = sorted(topic for table, topic in checkpoint.topics.items() if table in wanted)
        others = [topic for topic in held if topic not in checkpoint.made]
        # The header first: killed in the middle, what is left is not taken for a history.
        noted = [emptied_entry(topic, uuid4().hex) for topic in others]
        session.remember([header_entry(None), *noted])
        checkpoint.header = None
        removed = [t for t in held if t in checkpoint.made or not session.cluster.empty(t)]
        if removed:
            session.cluster.remove(removed)
            session.there -= set(removed)
        gone = [key for key in checkpoint.days if key[0] in wanted]
        session.remember([day_entry(key, None, "") for key in gone])
        for key in gone:
            del checkpoint.days[key]
        for table in wanted:
            checkpoint.topics.pop(table, None)

    def close(self) -> None:
        self._parcels.clear()
        self._changed.clear()
        self._writes = False
        self._look = None
        if self._session is not None:
            self._session.close()
            self._session = None

    def _put(self, parcel: _Parcel, whole: bool = False) -> Content:
        """Send a parcel, and keep it until it is committed, to be sent again."""
        content = self._trying(lambda: self._send(parcel, whole))
        self._parcels.append(parcel)
        return content

    def _send(self, parcel: _Parcel, whole: bool = False) -> Content:
        """Send the rows of a parcel that count; what is returned knows of all of them if `whole`.

        A row may be several messages, so that not messages are picked but rows.
        """
        content = Content()
        send = self._connected().transactions.send
        if parcel.broken:
            told = self._one_by_one(parcel.stamped)
            for messages, value in zip(told, parcel.broken, strict=True):
                broken = replace(messages, values=[value, *messages.values[1:]])
                send(parcel.topic, broken)
            return content
        count = len(parcel.stamped.instant)
        with no_garbage_meanwhile():
            for first in range(0, count, _BATCH_ROWS):
                end = min(first + _BATCH_ROWS, count)
                wanted = [
                    (max(a, first), min(b, end)) for a, b in parcel.rows if a < end and first < b
                ]
                if not wanted and not whole:
                    continue
                part = parcel.stamped.slice(first, end - first)
                all_of_them = wanted == [(first, end)]
                if whole or all_of_them:
                    messages = self._encoder.encode(parcel.topic, part)
                    content.add(messages)
                    if all_of_them:
                        send(parcel.topic, messages)
                        continue
                for a, b in wanted:
                    send(
                        parcel.topic,
                        self._encoder.encode(parcel.topic, part.slice(a - first, b - a)),
                    )
        return content

    def _one_by_one(self, stamped: Stamped) -> list[Messages]:
        """The messages of each row."""
        topic = self._options.kafka.topic_prefix + stamped.table.topic
        rows = range(len(stamped.instant))
        return [self._encoder.encode(topic, stamped.slice(row, 1)) for row in rows]

    def _is_found_committed(self, token: str) -> bool:
        """Whether the next writer, which we become, finds what was committed; else it is gone."""
        if self._session is not None:
            self._session.close()
            self._session = None
        return self._connected().checkpoint.commit == token

    def _settle(self, token: str) -> None:
        """Commit, and wait until readers see it. Raises Aborted where they never will."""
        self._finish(token)
        if not (self._connected().is_settled() or self._is_found_committed(token)):
            raise Aborted("the broker forgot that it had committed it")

    def _finish(self, token: str) -> None:
        session = self._connected()
        topics = {p.stamped.table.name: p.topic for p in self._parcels}
        session.transactions.flush()
        changed = [
            day_entry(key, progress, topics[key[0]]) for key, progress in self._changed.items()
        ]
        session.checkpoint.topics |= topics
        noted = [*changed, commit_entry(token)] if self._transactional else changed
        session.transactions.send(session.topic, entries(noted))
        session.transactions.commit()

    def _trying(self, step: Callable[[], T]) -> T:
        """Do a step of the open transaction; if that is lost, what was sent goes into another."""
        patience: Patience | None = None
        while True:
            session = self._connected()
            try:
                if patience is not None:
                    session.transactions.abort()
                    for parcel in self._parcels:
                        self._send(parcel)
                return step()
            except Aborted as error:
                _LOG.warning("a Kafka transaction is begun again: %s", error)
                patience = patience or Patience(session.troubles, self._settings.wait_seconds)
                patience.spent(pause=True)

    def _known(self, table: str, day: int) -> Progress:
        """Of a day, what is there and what is on its way."""
        changed = self._changed.get((table, day))
        return changed or self._connected().checkpoint.days.get((table, day), Progress(table, day))

    def _topic(self, table: Table) -> str:
        """The topic of a table, made if it is not there."""
        options = self._options.kafka
        name = options.topic_prefix + table.topic
        self._connected().ensure(_topic_as_asked(name, options))
        return name

    def _connected(self) -> Session:
        """As the only one who writes this feed."""
        if self._session is None:
            self._look = None
            writer = f"retail-datagen-{self._options.kafka.topic_prefix}{self._options.feed}"
            named = writer if self._transactional else None
            self._session = Session(self._settings, self._checkpoint_topic(), named)
        return self._session

    def _seen(self) -> Look:
        """What the cluster says, without shutting out who writes; as a writer once we are one."""
        if self._session is not None or self._writes:
            return self._connected()
        if self._look is None:
            self._look = Look(self._settings, self._checkpoint_topic())
        return self._look

    def _checkpoint_topic(self) -> Topic:
        kafka = self._options.kafka
        return checkpoint_topic(kafka.topic_prefix, self._options.feed, kafka.replication)


def _topic_as_asked(name: str, options: KafkaOptions) -> Topic:
    config = {}
    if options.retention_ms is not None:
        config["retention.ms"] = str(options.retention_ms)
    return Topic(name, options.partitions, options.replication, config)


def _name(servers: str, prefix: str, feed: str) -> str:
    """Different for targets that differ, and safe in a file name."""
    told = "|".join([*sorted(servers.split(",")), prefix, feed])
    digest = hashlib.blake2b(told.encode(), digest_size=6).hexdigest()
    return f"kafka-{re.sub(r'[^a-z0-9]+', '-', feed.lower())[:30]}-{digest}"
