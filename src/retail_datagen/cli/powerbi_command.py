"""`retail-datagen powerbi` writes connection files, so that Power BI opens where the data are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from retail_datagen.cli.console import console
from retail_datagen.cli.running import tell
from retail_datagen.config.errors import UserError
from retail_datagen.core.files import write_atomic
from retail_datagen.sinks.powerbi import clickhouse_file, folder_file, postgresql_file

_CLICKHOUSE = "clickhouse://localhost:8123/retail"
_POSTGRESQL = "postgresql://localhost:5432/retail"
_FOLDER = Path("data/facts")


def register(app: typer.Typer) -> None:
    """Mounts `powerbi` on the application."""
    app.command("powerbi")(powerbi)


def powerbi(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the files are written.")] = Path(
        "powerbi"
    ),
    clickhouse: Annotated[
        str, typer.Option(metavar="URL", help="A ClickHouse server.")
    ] = _CLICKHOUSE,
    postgresql: Annotated[
        str, typer.Option(metavar="URL", help="A PostgreSQL database.")
    ] = _POSTGRESQL,
    parquet: Annotated[
        Path, typer.Option(metavar="DIR", help="A folder of facts, Parquet or CSV.")
    ] = _FOLDER,
) -> None:
    """Write .pbids files that open Power BI at ClickHouse, PostgreSQL or a folder."""
    files = {
        "retail-clickhouse.pbids": clickhouse_file(clickhouse),
        "retail-postgresql.pbids": postgresql_file(postgresql),
        "retail-parquet.pbids": folder_file(parquet),
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            write_atomic(out / name, text.encode())
    except OSError as error:
        raise UserError(f"out: cannot write to {out}: {error.strerror or error}") from error
    if not parquet.is_dir():
        tell(
            f"warning: parquet: there is no folder {parquet} yet, which retail-parquet.pbids "
            "names; generate writes one, or give --parquet the one that there is"
        )
    for name in files:
        console().print(str(out / name))
