"""Which servers of a store are alive: each holds a lock that ends with it, however it ends.

On PostgreSQL that is an advisory lock of a session, on SQLite the lock of a file beside the
database. A heartbeat would not do: it waits while a job writes, who has the only transaction.
"""

from __future__ import annotations

import os
import secrets
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

_CLASS = 0x7265_7461
"""Keeps these locks apart from the writer's."""
_NUMBERS = 2**31
_BESIDE = ".server-"
_AGAIN_SECONDS = 0.01


class Presence(Protocol):
    """This server's lock."""

    number: int
    """By which other servers know it; no two have the same."""

    def hold(self) -> None:
        """Take the lock, again where the database dropped it. From any thread."""

    def is_alive(self, number: int) -> bool:
        """Whether the server of that number is there."""

    def sweep(self) -> None:
        """Take away what servers that were killed left of their locks."""

    def leave(self) -> None:
        """Let it go. Doing it twice is allowed."""


def presence_at(engine: Engine) -> Presence:
    """The lock of a server of this store; not held yet."""
    if engine.dialect.name == "postgresql":
        return _OnPostgresql(engine)
    database = engine.url.database
    return _BesideFile(Path(database) if database and database != ":memory:" else None)


class _OnPostgresql:
    def __init__(self, engine: Engine) -> None:
        self.number = secrets.randbelow(_NUMBERS)
        self._engine = engine
        self._session: Connection | None = None
        self._turn = threading.Lock()

    def hold(self) -> None:
        with self._turn:
            self._hold()

    def _hold(self) -> None:
        if self._session is not None:
            try:
                self._session.execute(text("SELECT 1"))
                return
            except DBAPIError:
                self.leave()
        session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        taking = text("SELECT pg_advisory_lock(:class, :number)")
        session.execute(taking, {"class": _CLASS, "number": self.number})
        self._session = session

    def is_alive(self, number: int) -> bool:
        with self._engine.connect() as connection:
            trying = text("SELECT pg_try_advisory_xact_lock_shared(:class, :number)")
            return not connection.scalar(trying, {"class": _CLASS, "number": number})

    def sweep(self) -> None:
        pass  # A session's locks end with it.

    def leave(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            # Closed for good: in the pool it would hold the lock on.
            with suppress(DBAPIError):
                session.invalidate()
            session.close()


class _BesideFile:
    def __init__(self, database: Path | None) -> None:
        """Without a file the store is in this process's memory: no other server has it."""
        self.number = secrets.randbelow(_NUMBERS)
        self._database = database
        self._descriptor = -1
        self._turn = threading.Lock()

    def hold(self) -> None:
        path = self._path(self.number)
        with self._turn:
            if path is not None and self._descriptor < 0:
                self._descriptor = _locked(path)

    def is_alive(self, number: int) -> bool:
        path = self._path(number)
        if number == self.number or path is None:
            return number == self.number
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            if not _try_lock(descriptor, shared=True):
                return True
            path.unlink(missing_ok=True)
            return False
        finally:
            os.close(descriptor)

    def sweep(self) -> None:
        if self._database is None:
            return
        begins = f"{self._database.name}{_BESIDE}"
        for path in self._database.parent.iterdir():
            number = path.name.removeprefix(begins)
            if path.name.startswith(begins) and number.isascii() and number.isdigit():
                with suppress(OSError):  # somebody else's, or swept by another server
                    self.is_alive(int(number))

    def leave(self) -> None:
        path = self._path(self.number)
        if path is not None and self._descriptor >= 0:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1

    def _path(self, number: int) -> Path | None:
        if self._database is None:
            return None
        return self._database.with_name(f"{self._database.name}{_BESIDE}{number}")


def _locked(path: Path) -> int:
    """Its descriptor. A server that sweeps may hold the file for a moment, or take it away before
    it is locked: then it is made again."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if _try_lock(descriptor, shared=False):
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), path.stat()):
                    return descriptor
        os.close(descriptor)
        time.sleep(_AGAIN_SECONDS)


if sys.platform == "win32":

    def _try_lock(descriptor: int, *, shared: bool) -> bool:
        return True  # A second server on one file goes unnoticed there.
else:
    import fcntl

    def _try_lock(descriptor: int, *, shared: bool) -> bool:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
