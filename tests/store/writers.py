"""Processes that write into a store and say how far they are, to be killed.

They come from a process that has loaded the modules already, which takes more than a second.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from retail_datagen.store.backfill import Backfill, backfill
from retail_datagen.store.catalogue import read_catalogue
from retail_datagen.store.database import open_database
from retail_datagen.store.generate import Direct, load_items, load_products
from retail_datagen.store.items import plan_inventory
from retail_datagen.store.ledger import Ledger

Say = Callable[[str], None]
Work = Callable[[str, Say], None]
_LOADED = multiprocessing.get_context("forkserver")
_LOADED.set_forkserver_preload(["retail_datagen.store.backfill", "retail_datagen.store.generate"])


def load(url: str, say: Say) -> None:
    """Three thousand items in many small batches."""
    catalogue = read_catalogue()
    inventory = plan_inventory(catalogue, catalogue.of_templates([]), 3000)
    target = Direct(Ledger(open_database(url)), batch=100)
    load_products(target, inventory, lambda done, _total: say(f"products {done}"))
    load_items(target, inventory, lambda done, _total: say(f"items {done}"))


def replace_past(url: str, say: Say) -> None:
    """Eight dense days in place of the past that is there."""
    wanted = Backfill(8, "dense", replace=True)
    backfill(open_database(url), wanted, lambda doing, done, _total: say(f"{doing} {done}"))


def begin(work: Work, url: str) -> tuple[BaseProcess, Connection]:
    """A process that does it; what it says comes through the connection."""
    ours, its = _LOADED.Pipe(duplex=False)
    process = _LOADED.Process(target=_work, args=(work, url, its))
    process.start()
    its.close()
    return process, ours


def reaches(line: str, told: Connection) -> list[str]:
    """What it said up to this line. Raises AssertionError where it ended before."""
    said: list[str] = []
    while line not in said:
        try:
            said.append(told.recv())
        except EOFError:
            raise AssertionError(f"it ended before it said {line!r}: {said[-3:]}") from None
    return said


def _work(work: Work, url: str, told: Connection) -> None:
    try:
        work(url, told.send)
    except Exception as error:  # told to who waits; a traceback would stand amid others' output
        told.send(f"{type(error).__name__}: {error}")
        raise SystemExit(1) from None
