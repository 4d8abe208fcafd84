"""Brings a store's tables up to date by Alembic, once for whoever opens it first.

Alembic is imported only where there is something to do. All of it happens in one transaction.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, insert, inspect, select, text, update

from retail_datagen.config.errors import UserError
from retail_datagen.store.database.models import zones
from retail_datagen.store.floor import FLOOR

HEAD = "0003"
"""The latest revision in `migrations/versions`."""
SCRIPTS = Path(__file__).parent / "migrations"
_MIGRATING = 0x7265_7461_696D


def migrate(engine: Engine) -> None:
    """Create or alter the tables as needed. Raises UserError for a database of a later version."""
    if revision(engine) == HEAD:
        return
    with engine.connect() as connection:
        connection = connection.execution_options(store_writes=True)
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATING})")
            _upgrade(connection)
            _copy_floor_plan(connection)


def revision(engine: Engine) -> str:
    """The revision that the database has; empty for one without tables."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return ""
        return str(connection.scalar(text("SELECT version_num FROM alembic_version")) or "")


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise UserError(
            f"database-url: the tables there are of another version ({error}); use the "
            "retail-datagen that made them, or another database"
        ) from None


def _copy_floor_plan(connection: Connection) -> None:
    """The zones as they are in this version, under their numbers."""
    known = set(connection.scalars(select(zones.c.id)))
    for zone in FLOOR.zones:
        row = {name: getattr(zone, name) for name in ("id", "name", "kind", "x0", "y0", "x1", "y1")}
        if zone.id in known:
            connection.execute(update(zones).where(zones.c.id == zone.id).values(**row))
        else:
            connection.execute(insert(zones).values(**row))
