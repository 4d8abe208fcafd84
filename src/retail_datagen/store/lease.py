"""One simulation per store: a lease in the database that ends by itself when its holder dies.

Times are those of the database server, so that machines with other clocks agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from retail_datagen.config.errors import UserError
from retail_datagen.store.database.engine import writing
from retail_datagen.store.database.models import simulation_leases as leases

STORE = "store"
SECONDS = 15
"""How long a lease lasts unless it is renewed."""


class LeaseLost(Exception):
    """The lease ran out and somebody else may hold it: stop writing."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lease, and until when, by the database's UTC clock."""

    name: str
    since: datetime
    expires_at: datetime

    def __str__(self) -> str:
        return f"{self.name}, since {self.since:%Y-%m-%d %H:%M:%S} UTC"


def acquire(engine: Engine, holder: str, seconds: float = SECONDS, store: str = STORE) -> None:
    """Take the lease for `holder`, a text that no other process uses.

    Raises UserError that names who has it.
    """
    with writing(engine) as connection:
        now = _now(connection)
        held = _held(connection, store)
        if held and held.expires_at > now and held.name != holder:
            left = (held.expires_at - now).total_seconds()
            raise UserError(
                f"another simulation runs in this store: {held}; stop it first, or wait: if it was "
                f"killed, its lease ends by itself within {left:.0f} s"
            )
        connection.execute(delete(leases).where(leases.c.store == store))
        values = {"store": store, "holder": holder[:200], "since": now}
        connection.execute(
            insert(leases).values(**values, expires_at=now + timedelta(seconds=seconds))
        )


def renew(engine: Engine, holder: str, seconds: float = SECONDS, store: str = STORE) -> None:
    """Hold on to the lease. Raises LeaseLost when it is somebody else's, or ran out."""
    with writing(engine) as connection:
        now = _now(connection)
        done = connection.execute(
            update(leases)
            .where(
                leases.c.store == store,
                leases.c.holder == holder[:200],
                leases.c.expires_at > now,
            )
            .values(expires_at=now + timedelta(seconds=seconds))
        )
        if not done.rowcount:
            raise LeaseLost(f"the lease of {holder} is gone")


def release(engine: Engine, holder: str, store: str = STORE) -> None:
    """Let the next one in. Doing it twice is allowed."""
    with writing(engine) as connection:
        connection.execute(
            delete(leases).where(leases.c.store == store, leases.c.holder == holder[:200])
        )


def current(engine: Engine, store: str = STORE) -> Holder | None:
    """Who simulates now; None when nobody does."""
    with engine.connect() as connection:
        return simulating(connection, store)


def simulating(connection: Connection, store: str = STORE) -> Holder | None:
    """As `current`, within a transaction."""
    held = _held(connection, store)
    return held if held and held.expires_at > _now(connection) else None


def refuse_beside_simulation(engine: Engine) -> None:
    """Raises UserError that names who simulates, for what takes items away under shoppers."""
    holder = current(engine)
    if holder:
        raise UserError(f"a simulation runs in this store: {holder}; stop it first")


def _held(connection: Connection, store: str) -> Holder | None:
    row = connection.execute(
        select(leases.c.holder, leases.c.since, leases.c.expires_at).where(leases.c.store == store)
    ).one_or_none()
    return None if row is None else Holder(row.holder, row.since, row.expires_at)


def _now(connection: Connection) -> datetime:
    """The database's clock, UTC without a zone."""
    if connection.dialect.name == "postgresql":
        said = connection.scalar(select(func.timezone("UTC", func.clock_timestamp())))
    else:
        said = connection.scalar(select(func.strftime("%Y-%m-%d %H:%M:%f", "now")))
    return said if isinstance(said, datetime) else datetime.fromisoformat(str(said))
