"""Which sink a URL means. Adding one is a module and a line in `_OPENERS`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote

from retail_datagen.sinks.base import Sink, SinkError
from retail_datagen.sinks.file import FORMATS, FileSink
from retail_datagen.sinks.jsonl import JsonlSink
from retail_datagen.sinks.kafka_url import KAFKA_QUERY, kafka_sink
from retail_datagen.sinks.lake import sink_of
from retail_datagen.sinks.memory import MemorySink
from retail_datagen.sinks.options import StreamOptions, redacted
from retail_datagen.sinks.sql import Database, SqlSink

# One letter before the colon is a drive, not a scheme.
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):(?P<rest>.*)", re.DOTALL)
_KNOWN = (
    "file:FOLDER?format=csv|parquet (or a plain path), jsonl:- or jsonl:FILE, memory:, "
    "kafka://HOST:PORT, sqlite:FILE, duckdb:FILE, postgresql://USER:PASSWORD@HOST/DATABASE, "
    "clickhouse://USER:PASSWORD@HOST:8123/DATABASE, chdb:FOLDER"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A sink's URL in its parts; `query` holds the options that are still to be taken from it.

    `as_events`: whoever asks sends events, not tables.
    """

    url: str
    place: str
    query: dict[str, str]
    format: str | None
    options: StreamOptions
    as_events: bool = False


def open_sink(url: str, format: str | None = None, options: StreamOptions | None = None) -> Sink:
    """The sink that `url` names; a plain path means files.

    `format` is used by sinks that write files when the URL itself says none, `options` by those
    that take events. Raises SinkError for an unknown scheme, option or format, naming those that
    are known.
    """
    scheme, place, query = _parts(url)
    opener = _OPENERS.get(scheme)
    if opener is None:
        raise SinkError(
            f"no sink is called {scheme!r} (in {redacted(url)!r}); allowed are {_KNOWN}"
        )
    told = options or StreamOptions()
    return opener(Asked(url, place, query, format, told, as_events=options is not None))


def sink_format(url: str) -> str | None:
    """The format that the URL itself asks for, if any."""
    return _parts(url)[2].get("format")


def _parts(url: str) -> tuple[str, str, dict[str, str]]:
    """Scheme, place and options; a plain path is taken as it stands."""
    match = _SCHEME.fullmatch(url)
    if not match:
        return "file", url, {}
    place, _, query = match["rest"].partition("?")
    return match["scheme"].lower(), unquote(place), dict(parse_qsl(query, keep_blank_values=True))


def _file(target: Asked) -> Sink:
    url, place, format = target.url, target.place, target.format
    asked = target.query.pop("format", None)
    _no_more(target, "format")
    if asked and format and asked != format:
        raise SinkError(f"{url!r} asks for {asked}, but the format asked for beside it is {format}")
    path = place.removeprefix("//") if url.lower().startswith("file:") else place
    if not path:
        raise SinkError(f"{url!r} names no folder; write file:./data, for example")
    return FileSink(Path(path), asked or format or next(iter(FORMATS)))


def _memory(target: Asked) -> Sink:
    _no_more(target)
    return MemorySink()


def _jsonl(target: Asked) -> Sink:
    _no_more(target)
    if target.format:
        raise SinkError(f"{target.url!r} writes JSON lines; leave the format {target.format!r} out")
    if not target.place:
        raise SinkError(f"{target.url!r} names no target; write jsonl:- for the standard output")
    options = target.options
    return JsonlSink(
        target.place, events=target.as_events, append=options.append, zone=options.zone
    )


def _kafka(target: Asked) -> Sink:
    sink = kafka_sink(target.place, target.query, target.options)
    _no_more(target, *KAFKA_QUERY)
    return sink


def _lake(target: Asked) -> Sink:
    """Not for users: what a lake job's workers write to."""
    return sink_of(target.url, target.place, target.query)


def _sqlite(target: Asked) -> Sink:
    from retail_datagen.sinks.sqlite import SqliteDatabase

    keys = target.query.pop("keys", "on")
    if keys not in ("on", "off"):
        raise SinkError(f"keys: {keys!r} is not known; allowed are on and off")
    _no_more(target, "keys")
    return _database(SqliteDatabase(_file_of(target, "retail.db"), keys == "on"), target)


def _duckdb(target: Asked) -> Sink:
    from retail_datagen.sinks.duckdb import DuckDatabase

    _no_more(target)
    return _database(DuckDatabase(_file_of(target, "retail.duckdb")), target)


def _postgresql(target: Asked) -> Sink:
    from retail_datagen.sinks.postgresql import PostgresDatabase

    return _database(PostgresDatabase(target.url), target)


def _clickhouse(target: Asked) -> Sink:
    from retail_datagen.sinks.clickhouse import ClickHouseSink
    from retail_datagen.sinks.clickhouse_client import ClickHouse

    _no_format(target)
    options = target.options
    clickhouse = ClickHouse.of(target.url, options.kafka.wait_seconds)
    return ClickHouseSink(clickhouse, options.feed, options.zone)


def _database(database: Database, target: Asked) -> Sink:
    _no_format(target)
    return SqlSink(database, target.options.feed, target.options.zone)


def _file_of(target: Asked, example: str) -> Path:
    """The database file, as SQLAlchemy reads it: `sqlite:///here.db`, `sqlite:////srv/there.db`.

    `sqlite:here.db` and `sqlite:/srv/there.db` say the same.
    """
    place = target.place
    place = place.removeprefix("///" if place.startswith("///") else "//")
    if not place:
        scheme = target.url.partition(":")[0]
        raise SinkError(f"{target.url!r} names no file; write {scheme}:./{example}, for example")
    return Path(place)


def _no_format(target: Asked) -> None:
    if target.format:
        raise SinkError(
            f"{redacted(target.url)!r} is a database; leave the format {target.format!r} out"
        )


def _no_more(target: Asked, *known: str) -> None:
    if target.query:
        name = next(iter(target.query))
        allowed = f"; allowed is {', '.join(known)}" if known else ", which has none"
        raise SinkError(f"option {name!r} is not known to {redacted(target.url)!r}{allowed}")


_OPENERS: dict[str, Callable[[Asked], Sink]] = {
    "chdb": _clickhouse,
    "clickhouse": _clickhouse,
    "clickhouses": _clickhouse,
    "duckdb": _duckdb,
    "file": _file,
    "jsonl": _jsonl,
    "kafka": _kafka,
    "lake": _lake,
    "memory": _memory,
    "postgres": _postgresql,
    "postgresql": _postgresql,
    "sqlite": _sqlite,
}
