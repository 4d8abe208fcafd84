"""What a database may raise, in two kinds, for those who may not know its library."""

from __future__ import annotations

from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

UNAVAILABLE = (OperationalError, InterfaceError, PoolTimeout)
"""It does not answer, or not in time: the same again may go through later."""
REFUSED = (IntegrityError, DataError)
"""It answers that this cannot be: somebody else was quicker, or a value does not fit."""
