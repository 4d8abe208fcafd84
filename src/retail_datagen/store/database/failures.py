"""What a database may raise, in two kinds, for those who may not know its library."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

UNAVAILABLE = (OperationalError, InterfaceError, PoolTimeout)
"""It does not answer, or not in time: the same again may go through later."""
REFUSED = (IntegrityError, DataError)
"""It answers that this cannot be: somebody else was quicker, or a value does not fit."""


def is_busy(error: Exception) -> bool:
    """Whether a SQLite database was not free to write, for somebody else writes."""
    orig = getattr(error, "orig", None)
    if not isinstance(orig, sqlite3.OperationalError):
        return False
    return orig.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
