"""The lake job: one engine job into a staging folder, published while it goes on.

    lease -> target's manifests -> local journal -> dimension tables -> engine job, publishing
          -> late dimension tables -> catalog -> lease

What the target's manifests say is right; whatever this machine remembers is put right by it. So a
job may be killed at any moment, and the next one, here or elsewhere, makes what is missing.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime

from retail_datagen import objects
from retail_datagen.engine.events import Event, JobFinished, JobStarted, JobSummary
from retail_datagen.engine.job import run_job
from retail_datagen.engine.request import open_retailer
from retail_datagen.engine.source import Retailer
from retail_datagen.engine.stop import JobStopped, stop_on_signals
from retail_datagen.engine.target import job_folder
from retail_datagen.lake.catalog import (
    Catalog,
    CatalogTable,
    catalog_table,
    config_hash,
    has_all_days,
    read_catalog,
    write_catalog,
)
from retail_datagen.lake.delivery import Delivery
from retail_datagen.lake.dimensions import Dimension
from retail_datagen.lake.events import (
    Announcer,
    Chunk,
    DimensionPublished,
    LakeFinished,
    LakeListener,
    LakeOpened,
    LakeSummary,
)
from retail_datagen.lake.hooks import Hooks
from retail_datagen.lake.lease import Lease
from retail_datagen.lake.ledger import Ledger, PlannedIds, completed_through
from retail_datagen.lake.local import (
    OpenedSource,
    clear_days,
    clear_staging,
    settle_journal,
    staging_of_ours,
)
from retail_datagen.lake.publish import Publisher, cut
from retail_datagen.lake.rawcsv import write_chunk
from retail_datagen.lake.request import (
    LakeRequest,
    check_lake_request,
    first_of_history,
    local_folder,
)
from retail_datagen.lake.target import LakeTarget, clear_tables, other_history
from retail_datagen.objects.base import ObjectStore
from retail_datagen.partitions.layout import INGEST, Partition
from retail_datagen.partitions.manifest import Stamp
from retail_datagen.partitions.parts import commit_partitions, stage_partition
from retail_datagen.sinks.base import SinkError, conform
from retail_datagen.sinks.lake import LakeSink, lake_url, staging_advice


def run_lake_job(
    request: LakeRequest,
    listeners: Sequence[LakeListener] = (),
    store: ObjectStore | None = None,
) -> LakeSummary:
    """Bring to a lake what `request` asks for and is not there yet.

    `store` is used instead of opening `request.url`. Listeners are told from several threads, one
    event at a time. Raises UserError for what the user can put right, JobStopped on SIGINT or
    SIGTERM; whatever is published stays, and the same request goes on from there.
    """
    began = time.monotonic()
    tables = check_lake_request(request)
    with ExitStack() as stack:
        with stop_on_signals():
            if store is None:
                store = objects.open_store(request.url, request.endpoint_url)
                stack.callback(store.close)
            lease = Lease.take(store)
            stack.callback(lease.release)
            stack.enter_context(staging_of_ours(request.staging))
            retailer = open_retailer(request.engine_request(request.url))
            job = _LakeJob(request, store, lease, retailer, tables, Announcer(listeners))
            stack.callback(job.stop)
            job.prepare()
        summary = job.generate()
        with stop_on_signals():
            return job.finish(summary, began)


class _LakeJob:
    """One run over a leased target."""

    def __init__(
        self,
        request: LakeRequest,
        store: ObjectStore,
        lease: Lease,
        retailer: Retailer,
        tables: tuple[str, ...],
        tell: Announcer,
    ) -> None:
        self._request, self._store, self._lease = request, store, lease
        self._retailer, self._tables, self._tell = retailer, tables, tell
        now = datetime.now(UTC)
        identity = retailer.identity
        batch = f"{now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"
        self._stamp = Stamp(batch, identity.version, config_hash(identity))
        self._dimensions = list(request.dimensions(retailer)) if request.dimensions else []
        self._chunks = cut(request.first_day, request.last_day, request.chunk_days)
        if request.overwrite:
            clear_tables(store, self._all_tables)
        self._catalog = self._known_catalog()
        self._target = LakeTarget.read(store)
        self._target.refuse_foreign(self._all_tables, self._stamp)
        self._sink = LakeSink(
            request.staging,
            self._stamp,
            request.target_bytes,
            _name(store.url),
            self._target.holds,
        )
        self._start = first_of_history(
            request, self._catalog.history_start if self._catalog else None
        )
        folder = job_folder(self._sink, request.artifacts)
        assert folder, "a durable sink has a job folder"
        overwrite = request.overwrite
        self._journal = settle_journal(
            folder, self._sink, retailer, self._start, self._target, overwrite
        )
        self._hooks = Hooks(request.hooks, folder / "hooks.txt")
        self._ledger = self._new_ledger()
        delivery = Delivery(self._target, request.staging, self._hooks, lease.check)
        self._publisher = Publisher(
            delivery,
            self._target,
            request.staging,
            self._chunks,
            len(tables),
            self._close,
            request.retries,
            request.pace,
            tell,
            lease.check,
        )

    @property
    def _all_tables(self) -> tuple[str, ...]:
        return (*self._tables, *(dimension.table.name for dimension in self._dimensions))

    @property
    def _kept(self) -> LakeTarget | None:
        """Whose partitions stay in the staging folder, too."""
        return self._target if self._request.keep_staging else None

    def prepare(self) -> None:
        """Put this machine right, begin the catalog, and bring the dimension tables."""
        request = self._request
        clear_staging(request.staging, self._all_tables, self._kept)
        if request.overwrite:
            self._hooks.forget()
        if self._catalog is None:
            write_catalog(self._store, self._catalog_of(self._empty_tables()))
        days = range(request.first_day, request.last_day + 1)
        there = sum(1 for day, _ in self._target.days(self._tables) if day in days)
        wanted = len(days) * len(self._tables)
        self._tell(LakeOpened(self._store.url, len(self._chunks), wanted, there))
        for corrected in self._ledger.correct(completed_through(self._target, self._tables)):
            self._tell(corrected)
        self._bring(self._dimensions)

    def generate(self) -> JobSummary:
        """The engine's job. Raises as `run_lake_job` does."""
        request = self._request
        url = lake_url(request.staging, self._stamp, request.target_bytes)
        asked = replace(
            request.engine_request(url), source=OpenedSource(request.source, self._retailer)
        )
        try:
            return run_job(asked, [self._listen], self._sink)
        except JobStopped as stop:
            self._publisher.stop()
            days = range(request.first_day, request.last_day + 1)
            stop.finished = sum(1 for day, _ in self._target.days(self._tables) if day in days)
            stop.partitions = len(days) * len(self._tables)
            raise

    def finish(self, summary: JobSummary, began: float) -> LakeSummary:
        """Wait until all is published; late dimension tables; the catalog."""
        request = self._request
        self._publisher.finish()
        if request.late:
            late = list(request.late(self._retailer, self._journal, self._start))
            self._dimensions += late
            clear_staging(request.staging, [d.table.name for d in late], self._kept)
            self._bring(late)
            self._publisher.wait_for_dimensions()
        self._ledger.finish()
        catalog = self._catalog_of(self._published_tables())
        catalog = replace(catalog, complete=self._is_complete(catalog))
        self._lease.check()
        write_catalog(self._store, catalog)
        done = LakeSummary(
            self._store.url,
            replace(summary, target=self._store.url),
            len(self._chunks),
            self._publisher.partitions,
            self._publisher.bytes,
            catalog.total_partitions,
            catalog.total_rows,
            catalog.total_bytes,
            catalog.complete,
            time.monotonic() - began,
        )
        self._tell(LakeFinished(done))
        return done

    def stop(self) -> None:
        """Publish nothing any more, and leave nothing staged that nobody asked to keep."""
        self._publisher.stop()
        if not self._request.keep_staging:
            clear_staging(self._request.staging, self._all_tables)

    def _listen(self, event: Event) -> None:
        """What the engine tells, with the lake's own address in place of the staging's."""
        url = self._store.url
        match event:
            case JobStarted():
                self._tell(replace(event, target=url))
            case JobFinished(summary=summary):
                self._tell(JobFinished(replace(summary, target=url)))
            case _:
                self._tell(event)
        self._publisher(event)

    def _known_catalog(self) -> Catalog | None:
        """The target's catalog. Raises UserError if it is another history's."""
        catalog = read_catalog(self._store)
        if catalog:
            found = catalog.differences(self._retailer.identity, self._request.target_bytes)
            if found:
                raise other_history(self._store.url, found)
        return catalog

    def _new_ledger(self) -> Ledger:
        request, ids = self._request, None
        if request.ids_after:
            ids = PlannedIds(self._journal, self._retailer, self._start, request.ids_after)
        return Ledger(request.checkpoint_path, request.id_state_path, ids, self._chunks)

    def _close(self, chunk: Chunk, anything: bool) -> None:
        """A chunk is at the target: note it, and tidy it away. Called again should it fail."""
        request = self._request
        if request.keep_csv and anything:
            tables = {name: self._retailer.tables[name].table for name in self._tables}
            write_chunk(
                request.artifacts,
                chunk,
                tables,
                request.staging,
                self._store,
                self._target.manifest,
            )
        self._lease.check()
        self._store.flush()
        self._ledger.close(chunk)
        if anything and not request.keep_staging:
            clear_days(request.staging, chunk, self._tables)

    def _bring(self, dimensions: Iterable[Dimension]) -> None:
        """Stage what the target lacks of dimension tables, and hand it to the publisher."""
        for dimension in dimensions:
            kept = 0
            for partition, value in dimension.partitions():
                known = self._target.manifest(partition)
                if known is None or not dimension.fixed:
                    kept += self._stage(dimension, partition, value)
                else:
                    kept += 1
                    self._publisher.send_dimension(known, True)
            if not dimension.fixed:
                self._remove_gone(dimension)
            count = len(dimension.values)
            self._tell(DimensionPublished(dimension.table.name, count, kept))

    def _stage(self, dimension: Dimension, partition: Partition, value: str | None) -> bool:
        """Hand a partition to the publisher; whether the target already holds just that."""
        request = self._request
        data = conform(dimension.table, dimension.render(value))
        try:
            manifest = stage_partition(
                request.staging,
                dimension.table,
                partition,
                data,
                self._stamp,
                request.target_bytes,
            )
            commit_partitions(request.staging, [partition])
        except OSError as error:
            raise SinkError(staging_advice(request.staging, error)) from error
        known = self._target.manifest(partition)
        same = known is not None and known.digest == manifest.digest
        self._publisher.send_dimension(known if known and same else manifest, request.keep_staging)
        return same

    def _remove_gone(self, dimension: Dimension) -> None:
        wanted = {partition for partition, _ in dimension.partitions()}
        for partition in self._target.partitions(dimension.table.name):
            if partition.by == dimension.by and partition not in wanted:
                self._lease.check()
                self._target.remove(partition)

    def _published_tables(self) -> tuple[CatalogTable, ...]:
        """All tables that have partitions of this history, others of the old catalog included."""
        found: dict[str, CatalogTable] = {}
        for name, rendered in self._retailer.tables.items():
            ours = self._target.manifests(name)
            ours = [m for m in ours if m.stamp.config_hash == self._stamp.config_hash]
            if ours or name in self._tables:
                found[name] = catalog_table(rendered.table, INGEST, ours)
        for dimension in self._dimensions:
            manifests = self._target.manifests(dimension.table.name)
            found[dimension.table.name] = catalog_table(dimension.table, dimension.by, manifests)
        for table in self._catalog.tables if self._catalog else ():
            found.setdefault(table.name, table)
        return tuple(found.values())

    def _is_complete(self, catalog: Catalog) -> bool:
        there = has_all_days(catalog.tables, catalog.first_day, catalog.last_day)
        return there and all(
            self._target.manifest(partition) is not None
            for dimension in self._dimensions
            for partition, _ in dimension.partitions()
        )

    def _empty_tables(self) -> tuple[CatalogTable, ...]:
        facts = [self._retailer.tables[name].table for name in self._tables]
        return (
            *(catalog_table(table, INGEST, ()) for table in facts),
            *(catalog_table(d.table, d.by, ()) for d in self._dimensions),
        )

    def _catalog_of(self, tables: tuple[CatalogTable, ...]) -> Catalog:
        request, old = self._request, self._catalog
        first, last = request.first_day, request.last_day
        return Catalog(
            self._retailer.identity,
            request.details,
            request.target_bytes,
            self._start,
            min(first, old.first_day) if old else first,
            max(last, old.last_day) if old else last,
            tables,
            False,
            datetime.now(UTC).isoformat(timespec="seconds"),
        )


def _name(url: str) -> str:
    """What the job folder of a target is called."""
    place = str(local_folder(url) or url)
    return f"lake-{hashlib.sha256(place.encode()).hexdigest()[:12]}"
