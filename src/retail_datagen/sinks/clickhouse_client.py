"""One ClickHouse: a server, or the engine inside this process (chdb); for what writes there.

`clickhouse://user:password@host:8123/retail` (`clickhouses://` with TLS), `chdb:./retail.chdb`.
Both are asked through clickhouse-connect; only inserting differs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

import pyarrow as pa

from retail_datagen.sinks.base import SinkError
from retail_datagen.sinks.options import redacted, refuse_unclear_password
from retail_datagen.sinks.waiting import Waiting

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

DATABASE = "retail"
_CONNECT_SECONDS = 10
_ANSWER_SECONDS = 600
_MOST_TEXT = 400
_SETTINGS = {
    # An insert is there when it returns, a deletion too; a day goes in as few parts as it can.
    "async_insert": 0,
    "mutations_sync": 2,
    "lightweight_deletes_sync": 2,
    "max_insert_block_size": 4_194_304,
    "min_insert_block_size_rows": 4_194_304,
    "min_insert_block_size_bytes": 1 << 30,
    "max_partitions_per_insert_block": 1000,
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a ClickHouse is: a folder for the embedded one, else a server."""

    where: str
    database: str = DATABASE
    folder: Path | None = None
    host: str = ""
    port: int = 8123
    user: str = "default"
    password: str = field(default="", repr=False)
    secure: bool = False


def address_of(url: str) -> Address:
    """What a URL says. Raises SinkError."""
    scheme, _, rest = url.partition(":")
    if scheme.lower() == "chdb":
        place = unquote(rest.partition("?")[0])
        path = place[2:] if place.startswith("///") else place.removeprefix("//")
        if not path or "?" in rest:
            raise SinkError(f"{url!r} names no folder; write chdb:./retail.chdb, for example")
        return Address(f"chdb:{path}", folder=Path(path))
    refuse_unclear_password(url)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = None, None
    if parts is None or not parts.hostname:
        raise SinkError(
            f"{redacted(url)!r} names no server; write "
            "clickhouse://USER:PASSWORD@HOST:8123/DATABASE, with a number for the port"
        )
    if parts.query:
        raise SinkError(f"{redacted(url)!r}: ClickHouse has no options; leave out what follows '?'")
    secure = scheme.lower() == "clickhouses"
    host, port = parts.hostname, port or (8443 if secure else 8123)
    database = unquote(parts.path.strip("/")) or DATABASE
    user = unquote(parts.username or "default")
    return Address(
        f"clickhouse://{user}@{host}:{port}/{database}",
        database,
        host=host,
        port=port,
        user=user,
        password=unquote(parts.password or ""),
        secure=secure,
    )


_ADVICE = {
    "516": "user or password is wrong: see to the URL, or to CLICKHOUSE_USER and "
    "CLICKHOUSE_PASSWORD",
    "192": "there is no such user: see to the URL, or to CLICKHOUSE_USER",
    "81": "make the database with `retail-datagen clickhouse init`, or name another in the URL",
    "243": "free some space on its disk and run the same command again",
    "241": "give it more memory, or choose fewer days at a time (--chunk-days)",
    "497": "let the user create tables, insert and delete in that database",
    "164": "the user may only read: choose another, or change its profile",
    "252": "it has too many parts to merge: wait, and run the same command again",
}
"""What to do about an error of ClickHouse, by its code."""
CODE = re.compile(r"(?:error code|Code:)\s*(\d+)")
"""The number of an error of ClickHouse in what the driver says."""
_UNREACHED = re.compile(
    r"Failed to resolve|Connection refused|No route to host|unreachable|[Cc]onnection timed out"
    r"|timed out|Connection aborted|Connection reset"
)
"""What the driver hears where nobody answers."""


def explain(address: Address, error: Exception) -> SinkError:
    """What people are told of an error of the driver's."""
    text = _unreached(error) or " ".join(str(error).split())
    for secret in filter(None, (address.password, quote(address.password, safe=""))):
        text = text.replace(secret, "***")
    code = CODE.search(text)
    if code:
        advice = _ADVICE.get(code[1], "see to it and run the same command again")
    elif "No space left" in text:
        advice = _ADVICE["243"]
    elif address.folder is not None:
        advice = (
            "see to it and run the same command again; a folder of chdb is for one process at a "
            "time"
        )
    else:
        advice = "is the server running and reachable there? See to it, then run this again"
    return SinkError(
        f"cannot use {address.where}: {_short(text)}; what is finished is kept, what was not is "
        f"taken back by the next run: {advice}"
    )


def _unreached(error: Exception) -> str:
    """Why no server answered, in two or three words; "" where one did."""
    text = str(error)
    found = None if CODE.search(text) else _UNREACHED.search(text)
    return found[0] if found else ""


def _short(text: str) -> str:
    """The part of an error of ClickHouse that says what is wrong."""
    found = re.search(
        r"DB::(?:Net)?Exception: (.*?)(?:\(version |\(official build|Stack trace|$)", text
    )
    told = found[1] if found else text
    return told if len(told) <= _MOST_TEXT else told[:_MOST_TEXT] + " …"


class ClickHouse:
    """A connection, opened at its first use and again after `close`. Methods raise SinkError.

    `wait_seconds` is how long a server that does not answer then is waited for.
    """

    def __init__(self, address: Address, wait_seconds: float = 0.0) -> None:
        self.address = address
        self._wait_seconds = wait_seconds
        self._opened: Client | None = None
        self._engine: Any = None
        _driver(address)

    @classmethod
    def of(cls, url: str, wait_seconds: float = 0.0) -> ClickHouse:
        """Raises SinkError for a URL that is none, or a driver that is not installed."""
        return cls(address_of(url), wait_seconds)

    @property
    def embedded(self) -> bool:
        return self.address.folder is not None

    @property
    def is_open(self) -> bool:
        """Whether it was reached, so that asking again does not begin with waiting."""
        return self._opened is not None

    def run(self, statement: str, query_id: str = "") -> None:
        """A statement that answers nothing."""
        self._try(lambda client: client.command(statement, settings=_identified(query_id)))

    def rows(self, query: str) -> Sequence[Sequence[Any]]:
        """What a query answers, row by row."""
        found: Sequence[Sequence[Any]] = self._try(lambda client: client.query(query).result_rows)
        return found

    def columns(self, data: pa.Table) -> pa.Table:
        """The same rows in the types that inserting is quickest with."""
        return plain_columns(data) if self.embedded else wider_decimals(data)

    def insert(self, table: str, data: pa.Table, query_id: str = "", database: str = "") -> None:
        """Append rows, whose columns have the table's names; to the address's database, else.

        Types that are not those of `columns` are made so first.
        """
        data = self.columns(data)
        database = database or self.address.database
        if self.embedded:
            self._try(lambda _: self._insert_here(database, table, data))
            return
        self._try(
            lambda client: client.insert_arrow(
                table, data, database, settings=_identified(query_id)
            )
        )

    def names_of_columns(self, table: str) -> tuple[str, ...]:
        """The columns of a table in their order; none where there is no such table."""
        found = self.rows(
            f"SELECT name FROM system.columns WHERE table = {literal(table)} "
            f"AND database = {literal(self.address.database)} ORDER BY position"
        )
        return tuple(str(column) for (column,) in found)

    def end_queries(self, of: str) -> None:
        """End what a server still does for a writer that is gone, whose identifiers begin so."""
        if not self.embedded:
            # Who may not end queries has none that run: nobody else uses these identifiers.
            with suppress(SinkError):
                self.run(f"KILL QUERY WHERE startsWith(query_id, {literal(of)}) SYNC")

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _insert_here(self, database: str, table: str, rows: pa.Table) -> None:
        """Let the engine read the columns where they lie.

        The driver would write them to a file first, for 2.6 times the processor time.
        """
        import chdb

        if self._engine is None:
            self._engine = chdb.connect(str(client_path(self.address)))
        names = ", ".join(f"`{name}`" for name in rows.column_names)
        settings = ", ".join(f"{name} = {value}" for name, value in _SETTINGS.items())
        # `Python(rows)` is the local variable of that name.
        self._engine.query(
            f"INSERT INTO `{database}`.`{table}` ({names}) "
            f"SELECT {names} FROM Python(rows) SETTINGS {settings}"
        )

    def _try(self, ask: Any) -> Any:
        try:
            return ask(self._client())
        except SinkError:
            raise
        except Exception as error:
            raise explain(self.address, error) from error

    def _client(self) -> Client:
        if self._opened is None:
            self._opened = self._met()
        return self._opened

    def _met(self) -> Client:
        """The client of a server that answers; it is waited for."""
        waiting = Waiting(f"ClickHouse at {self.address.where}", self._wait_seconds)
        while True:
            try:
                return _open(self.address)
            except Exception as error:
                why = _unreached(error)
                if not why or not waiting.lasts(why, pause=True):
                    raise


def _driver(address: Address) -> None:
    """Raise SinkError unless the driver is installed."""
    needed = ["clickhouse_connect"] + ["chdb"] * (address.folder is not None)
    for name in needed:
        if find_spec(name) is None:
            raise SinkError(
                f"ClickHouse needs {name}, which is not installed: "
                "pip install 'retail-datagen[clickhouse]'"
            )


def _open(address: Address) -> Client:
    import clickhouse_connect

    # Sessions are for one query at a time; nothing here needs one.
    clickhouse_connect.common.set_setting("autogenerate_session_id", False)
    if address.folder is None:
        return clickhouse_connect.get_client(
            host=address.host,
            port=address.port,
            username=address.user,
            password=address.password,
            database=address.database,
            secure=address.secure,
            connect_timeout=_CONNECT_SECONDS,
            send_receive_timeout=_ANSWER_SECONDS,
            settings=dict(_SETTINGS),
        )
    path = client_path(address)
    path.mkdir(parents=True, exist_ok=True)
    client = clickhouse_connect.get_client(
        interface="chdb", path=str(path), settings=dict(_SETTINGS)
    )
    client.command(f"CREATE DATABASE IF NOT EXISTS `{address.database}`")
    client.database = address.database
    return client


def client_path(address: Address) -> Path:
    """The folder of an embedded ClickHouse, in the one spelling that a process may use."""
    assert address.folder is not None
    return address.folder.resolve()


def wider_decimals(data: pa.Table) -> pa.Table:
    """Decimals of 128 bits, which every reader knows."""
    return data.cast(
        pa.schema(
            [
                field.with_type(pa.decimal128(field.type.precision, field.type.scale))
                if pa.types.is_decimal64(field.type)
                else field
                for field in data.schema
            ]
        )
    )


def plain_columns(data: pa.Table) -> pa.Table:
    """What the engine reads fastest from memory: wide decimals, texts in place of categories."""
    return wider_decimals(
        data.cast(
            pa.schema(
                [
                    field.with_type(pa.string()) if pa.types.is_dictionary(field.type) else field
                    for field in data.schema
                ]
            )
        )
    )


def literal(value: str) -> str:
    """A text as a statement writes it."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def literals(values: Iterable[str]) -> str:
    """Texts with commas between them."""
    return ", ".join(literal(value) for value in values)


def _identified(query_id: str) -> dict[str, Any]:
    return {"query_id": query_id} if query_id else {}
