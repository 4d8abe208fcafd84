"""Connection files for Power BI (`.pbids`): a double click opens it at one of our targets.

They hold where the data are and never who asks: Power BI asks for user and password itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from retail_datagen.config.errors import UserError
from retail_datagen.sinks.clickhouse_client import address_of
from retail_datagen.sinks.options import redacted

ODBC_DRIVER = "ClickHouse ODBC Driver (Unicode)"
_POSTGRES_PORT = 5432


def clickhouse_file(url: str) -> str:
    """The file for a ClickHouse server, by its ODBC driver. Raises UserError for another URL."""
    if not url.startswith(("clickhouse://", "clickhouses://")):
        raise UserError(
            f"clickhouse: {redacted(url)!r} is no server; Power BI needs one, such as "
            "clickhouse://localhost:8123/retail"
        )
    address = address_of(url)
    options = {
        "driver": ODBC_DRIVER,
        "server": address.host,
        "port": str(address.port),
        "database": address.database,
    }
    if address.secure:
        options["sslmode"] = "require"
    return _file("odbc", {"options": options})


def postgresql_file(url: str) -> str:
    """The file for a PostgreSQL database. Raises UserError for another URL."""
    try:
        parts = urlsplit(url)
        port = parts.port or _POSTGRES_PORT
    except ValueError:
        parts, port = urlsplit(""), 0
    database = unquote(parts.path.strip("/"))
    if parts.scheme not in ("postgresql", "postgres") or not parts.hostname or not database:
        raise UserError(
            f"postgresql: {redacted(url)!r} is no database; give one such as "
            "postgresql://localhost:5432/retail"
        )
    return _file("postgresql", {"server": f"{parts.hostname}:{port}", "database": database})


def folder_file(folder: Path) -> str:
    """The file for a folder of Parquet or CSV."""
    return _file("folder", {"path": str(folder.resolve())})


def _file(protocol: str, address: Mapping[str, object]) -> str:
    connection = {
        "details": {"protocol": protocol, "address": address},
        "options": {},
        "mode": "Import",
    }
    return json.dumps({"version": "0.1", "connections": [connection]}, indent=2) + "\n"
