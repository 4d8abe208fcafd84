"""Makes exactly the missing and damaged partitions of a lake again: the same bytes.

What is damaged is first made not to exist, by removing its manifest. Then the lake job, which
makes whatever does not exist, runs once more on what the catalog says the lake was made from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from retail_datagen.config.errors import UserError
from retail_datagen.lake.catalog import Catalog, read_catalog
from retail_datagen.lake.declared import declared_tables, expected_of
from retail_datagen.lake.findings import LakeReport
from retail_datagen.lake.job import run_lake_job
from retail_datagen.lake.lease import Lease
from retail_datagen.lake.read import read_lake
from retail_datagen.lake.request import LakeRequest
from retail_datagen.lake.verify import Expected, Listener, damaged_partitions, verify_lake
from retail_datagen.objects.base import ObjectStore
from retail_datagen.partitions.layout import CATALOG, Partition
from retail_datagen.schema.table import Table

RequestOf = Callable[[Catalog], LakeRequest]
"""The job that a catalog is of, as it was asked for."""


@dataclass(frozen=True, slots=True)
class RepairSummary:
    """The partitions that were made again, or with `dry_run` would be.

    `left` are damaged too, but no job of this lake makes them: they are as they were.
    """

    url: str
    dry_run: bool
    before: LakeReport
    remade: tuple[Partition, ...]
    left: tuple[Partition, ...]


def repair_lake(
    store: ObjectStore,
    known: Mapping[str, Table],
    request_of: RequestOf,
    dry_run: bool = False,
    listeners: Iterable[Listener] = (),
) -> RepairSummary:
    """Find what is missing or damaged, and make it again; `known` are declarations by name.

    Raises UserError for a lake without a catalog, one that another job writes, or one that what
    the catalog says cannot make again.
    """
    catalog = read_catalog(store)
    if catalog is None:
        raise UserError(
            f"{store.url} has no {CATALOG}, which says what a lake was made from: give the folder "
            "or prefix that has the tables' folders in it, or run the command that made it again"
        )
    request = request_of(catalog)
    lease = Lease.take(store)
    try:
        expected = expected_of(catalog) or Expected()
        report = verify_lake(store, declared_tables(catalog, known), expected, True, listeners)
        damaged = damaged_partitions(report, read_lake(store), expected)
        broken = tuple(partition for partition in damaged if expected.has(partition))
        left = tuple(partition for partition in damaged if not expected.has(partition))
        if not dry_run:
            for partition in broken:
                lease.check()
                store.delete(partition.manifest)
                store.delete(partition.success)
    finally:
        lease.release()
    if broken and not dry_run:
        run_lake_job(request, store=store)
    return RepairSummary(store.url, dry_run, report, broken, left)
