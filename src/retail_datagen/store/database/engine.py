"""Opens a store's database by its URL, and begins transactions that write.

PostgreSQL goes through psycopg 3. SQLite files are created where they are missing, keep a write
ahead log so that readers never wait, and enforce foreign keys.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import QueuePool, StaticPool

from retail_datagen.config.errors import UserError
from retail_datagen.sinks.base import SinkError
from retail_datagen.sinks.options import redacted, refuse_unclear_password
from retail_datagen.store.database.migrate import migrate
from retail_datagen.store.where import DEFAULT_URL

ALLOWED = f"postgresql://user:password@host:5432/database or {DEFAULT_URL}"
_BUSY_SECONDS = 30
_SOON_MS = 250
_WRITER = 0x7265_7461_696C
"""The PostgreSQL lock that one writer holds at a time, as SQLite has it by itself."""
_Value = str | bytes | int | float | None
_POSTGRESQL = ("postgresql", "postgres", "postgresql+psycopg")
_SQLITE = ("sqlite", "sqlite+pysqlite")


def open_database(url: str = DEFAULT_URL, *, create: bool = True) -> Engine:
    """The database at a URL, its tables there and up to date. Dispose of the engine in the end.

    With `create` off, a SQLite file that is not there is an error instead of a new store. Raises
    UserError for a URL that is none, a server that does not answer, or a database of a later
    version.
    """
    parsed = _parse(url)
    try:
        sqlite = parsed.drivername in _SQLITE
        engine = _open_sqlite(parsed, create) if sqlite else _open_postgresql(parsed)
    except (ArgumentError, ValueError):
        # Neither names the option, and either may show its value.
        raise UserError(
            f"database-url: an option after the ? of {_shown(parsed)} has a value that it cannot "
            "have; correct it, or leave it out"
        ) from None
    try:
        migrate(engine)
    except DBAPIError as error:
        engine.dispose()
        raise _refused(parsed, error) from error
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write, one at a time: others wait for it, readers do not.

    It is committed at the end, or rolled back when an exception leaves it.
    """
    with engine.connect() as connection:
        connection = connection.execution_options(store_writes=True)
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER})")
            yield connection


@contextmanager
def noting(engine: Engine, *, soon: bool = False) -> Iterator[Connection]:
    """A transaction that writes what no other table depends on, such as jobs.

    On PostgreSQL it does not wait for the store's writer. SQLite has one writer: there it does,
    with `soon` for a moment only, and then raises an OperationalError that `is_busy` knows.
    """
    with engine.connect() as connection:
        connection = connection.execution_options(store_writes=True)
        brief = soon and connection.dialect.name == "sqlite"
        held = connection.connection
        try:
            if brief:
                held.driver_connection.execute(f"PRAGMA busy_timeout = {_SOON_MS}")  # type: ignore[union-attr]
            with connection.begin():
                yield connection
        finally:
            if brief:
                again = f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000:.0f}"
                held.driver_connection.execute(again)  # type: ignore[union-attr]


def shown_url(engine: Engine) -> str:
    """The URL to show people: without the driver, and without passwords."""
    return _shown(engine.url)


def shown_form(url: str) -> str:
    """As `shown_url`, of a URL that nothing was opened with yet. Raises UserError."""
    return _shown(_parse(url))


def refuse_in_memory(url: str) -> None:
    """Raises UserError for a store that ends with this process, and for what is no URL."""
    parsed = _parse(url)
    named = parsed.database or ""
    in_memory = not named or ":memory:" in named or parsed.query.get("mode") == "memory"
    if parsed.drivername in _SQLITE and in_memory:
        raise UserError(
            f"database-url: a store in memory ends with the command; give a file, such as "
            f"{DEFAULT_URL}"
        )


def _shown(url: URL) -> str:
    # A query may have a password as well, which SQLAlchemy shows.
    plain = url.set(drivername=url.get_backend_name())
    return redacted(plain.render_as_string(hide_password=True))


def _parse(url: str) -> URL:
    try:
        if not url.startswith("sqlite"):
            refuse_unclear_password(url)
        parsed = make_url(url)
    except SinkError as error:
        raise UserError(f"database-url: {error}") from None
    # Whatever else is wrong with the text, it may hold a password: it is not shown.
    except ArgumentError:
        raise UserError(f"database-url: this is not a URL; allowed: {ALLOWED}") from None
    except ValueError:
        raise UserError(f"database-url: its port is no number; allowed: {ALLOWED}") from None
    if parsed.drivername in _POSTGRESQL:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername in _SQLITE:
        return parsed
    raise UserError(
        f"database-url: {parsed.drivername!r} is not a database of the store; allowed: {ALLOWED}"
    )


def _open_sqlite(url: URL, create: bool) -> Engine:
    if not url.database or url.database == ":memory:":
        engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        path = Path(url.database)
        if not path.is_file():
            if not create:
                raise UserError(
                    f"database-url: there is no store in {path}; make one with `retail-datagen "
                    f"inventory generate --items 3000 --database-url {url.render_as_string()}`"
                )
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UserError(
                    f"database-url: the folder {path.parent} cannot be made: {error.strerror}"
                ) from None
        engine = create_engine(
            url,
            poolclass=QueuePool,
            max_overflow=20,
            connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        )
    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", _on_sqlite_begin)
    return engine


def _open_postgresql(url: URL) -> Engine:
    try:
        return create_engine(
            url,
            max_overflow=20,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 10, "application_name": "retail-datagen"},
        )
    except (NoSuchModuleError, ImportError):
        raise UserError(
            "database-url: PostgreSQL needs psycopg: pip install 'retail-datagen[store]'"
        ) from None


def _on_sqlite_connect(connection: sqlite3.Connection, _record: Any) -> None:
    # Else Python's driver begins transactions when it sees fit, and commits before it alters
    # tables.
    connection.isolation_level = None
    # Its own knows ASCII only; searches find the same as on PostgreSQL.
    connection.create_function("lower", 1, _lower, deterministic=True)
    for pragma in ("foreign_keys = ON", "journal_mode = WAL", "synchronous = NORMAL"):
        connection.execute(f"PRAGMA {pragma}")


def _lower(value: _Value) -> _Value:
    return value.lower() if isinstance(value, str) else value


def _on_sqlite_begin(connection: Connection) -> None:
    # A reader that turns writer would fail at once where another writes; this one waits its turn.
    writes = connection.get_execution_options().get("store_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _refused(url: URL, error: DBAPIError) -> UserError:
    where = shown_form(url.render_as_string(hide_password=False))
    said = " ".join(str(error.orig).split())
    if url.drivername in _SQLITE:
        return UserError(f"database-url: {where} cannot be used as a store: {said}")
    what = "does not let us in" if isinstance(error, OperationalError) else "cannot be used"
    return UserError(
        f"database-url: {where} {what}: {said}; check that the server runs, and host, port, user, "
        "password and database"
    )
