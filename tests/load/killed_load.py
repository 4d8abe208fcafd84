"""Loads, and is killed on the way: `python killed_load.py CONFIG SERVERS PREFIX FOLDER HOW`.

HOW is `never`, or `before` or `after` the n-th call that is about something: `after:3:DELETE`, or,
with `=`, that inserts into a table: `before:1:=receipts`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from loading import Dying, load_of, some_tables

from retail_datagen.config.models import RetailConfig
from retail_datagen.streaming.load import run_load


def main(config: str, servers: str, prefix: str, folder: str, how: str) -> None:
    clickhouse = Dying.of(f"chdb:{folder}/x.chdb")
    assert isinstance(clickhouse, Dying)
    if how != "never":
        when, number, about = how.split(":")
        seen = 0

        def now(call: int, what: str) -> bool:
            nonlocal seen
            is_it = what == about[1:] if about.startswith("=") else about in what
            seen += is_it
            return is_it and seen == int(number)

        if when == "before":
            clickhouse.before = now
        else:
            clickhouse.after = now
    tables = some_tables(RetailConfig.from_file(Path(config)))
    done = run_load(load_of(servers, prefix, clickhouse, tables, Path(folder), batch_rows=500))
    print(done.total, done.batches)


main(*sys.argv[1:])
