"""Where a URL leads: two URLs with the same place mean one target, however they are written."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

_SERVERS = "KAFKA_BOOTSTRAP_SERVERS"
_CLICKHOUSE_PORTS = {"clickhouse": 8123, "clickhouses": 8443}
_POSTGRESQL_PORT, _KAFKA_PORT = 5432, "9092"
_MORE_OF_POSTGRESQL = ("hostaddr", "service", "options")
_IN_A_FILE = ("chdb", "duckdb", "file", "jsonl", "sqlite")


def place_of(url: str) -> str:
    """The same text for URLs of one target; a URL that cannot be read is its own place.

    Options that say how to write, users and passwords do not count, names of topics do.
    """
    scheme, colon, rest = url.partition(":")
    scheme, place = scheme.lower(), rest.partition("?")[0]
    if not colon or len(scheme) == 1:
        return f"file:{Path(url).resolve()}"
    if scheme in _IN_A_FILE:
        return f"{scheme}:{_file(scheme, unquote(place))}"
    try:
        if scheme == "kafka":
            return f"kafka:{_brokers(place)}/{_prefix(rest)}"
        if scheme in _CLICKHOUSE_PORTS:
            return f"clickhouse:{_server(url, _CLICKHOUSE_PORTS[scheme], 'retail')}"
        if scheme in ("postgres", "postgresql"):
            return f"postgresql:{_postgresql(url)}"
    except ValueError:
        pass
    return url


def is_there(url: str) -> bool:
    """Whether the file or folder of a target exists; True for servers, which have to be asked."""
    kind, _, place = place_of(url).partition(":")
    return kind not in _IN_A_FILE or place == "-" or Path(place).exists()


def _file(scheme: str, place: str) -> str:
    if place == "-":
        return place
    # SQLAlchemy's way: three slashes stand before a path, which may begin with a fourth.
    three = scheme in ("sqlite", "duckdb") and place.startswith("///")
    return str(Path(place.removeprefix("///" if three else "//")).resolve())


def _brokers(place: str) -> str:
    named = place.removeprefix("//").rstrip("/") or os.environ.get(_SERVERS, "")
    servers = [server.strip().lower() for server in named.split(",")]
    return ",".join(sorted(s if ":" in s else f"{s}:{_KAFKA_PORT}" for s in servers))


def _prefix(rest: str) -> str:
    return "".join(parse_qs(rest.partition("?")[2]).get("topic_prefix", []))


def _server(url: str, port: int, database: str) -> str:
    parts = urlsplit(url)
    name = unquote(parts.path.strip("/")) or database or parts.username or ""
    return f"{parts.hostname}:{parts.port or port}/{name}"


def _postgresql(url: str) -> str:
    """Server and database as libpq finds them: what the query says counts more.

    `options` says where tables lie, such as `-csearch_path=shop`; a database that is not named is
    called as the user is.
    """
    parts = urlsplit(url)
    told = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    host = told.get("host", "").lower() or parts.hostname or ""
    port = told.get("port") or parts.port or _POSTGRESQL_PORT
    user = told.get("user") or unquote(parts.username or "")
    name = told.get("dbname") or unquote(parts.path.strip("/")) or user
    others = "".join(f"?{name}={told[name]}" for name in _MORE_OF_POSTGRESQL if name in told)
    return f"{host}:{port}/{name}{others}"
