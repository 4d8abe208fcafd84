"""Brings a lake from a folder, or a bucket, to another: resumable, and never with a false manifest.

A partition's files come first, then its manifest, then _SUCCESS; the catalog is last of all. What
the target holds already, by its manifests' digests and the bytes that it lists, is not sent again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass
from enum import Enum

from retail_datagen.config.errors import UserError
from retail_datagen.core.files import sha256_of
from retail_datagen.lake.lease import Lease
from retail_datagen.lake.read import Contents, Held, Reader, folder_of, read_lake
from retail_datagen.objects.base import ObjectStore
from retail_datagen.partitions.layout import CATALOG, Partition
from retail_datagen.partitions.manifest import Manifest

_AT_ONCE = 8


class Step(Enum):
    """What happens to a partition of the target."""

    UPLOAD = "upload"
    REPLACE = "replace"
    KEEP = "keep"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Action:
    """One partition, what is done with it, and the bytes of its files."""

    step: Step
    partition: Partition
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class UploadProgress:
    """How far an upload is: partitions and bytes of those that are to be sent."""

    partitions: int
    total_partitions: int
    bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class UploadSummary:
    """What an upload did, or with `dry_run` would do."""

    source: str
    target: str
    dry_run: bool
    actions: tuple[Action, ...]
    seconds: float

    def of(self, *steps: Step) -> tuple[Action, ...]:
        """The actions of these kinds."""
        return tuple(action for action in self.actions if action.step in steps)

    @property
    def bytes_sent(self) -> int:
        return sum(action.bytes for action in self.of(Step.UPLOAD, Step.REPLACE))


Listener = Callable[[UploadProgress], None]


def upload_lake(
    source: ObjectStore,
    target: ObjectStore,
    dry_run: bool = False,
    overwrite: bool = False,
    listeners: Iterable[Listener] = (),
) -> UploadSummary:
    """Make the target hold the source's partitions, and its catalog.

    With `overwrite`, a target of another history is replaced: partitions that the source does not
    have are removed from the source's tables. The target's lease is held meanwhile. Raises
    UserError for a source that is not whole, or a target that another job writes, that holds
    another history or that lies within the source or around it, StoreError where a store fails.
    """
    began = time.monotonic()
    _check_apart(source, target)
    with ExitStack() as stack:
        lease = None
        if not dry_run:
            lease = Lease.take(target)
            stack.callback(lease.release)
        actions = _upload(source, target, lease, overwrite, tuple(listeners))
    return UploadSummary(source.url, target.url, dry_run, actions, time.monotonic() - began)


def _upload(
    source: ObjectStore,
    target: ObjectStore,
    lease: Lease | None,
    overwrite: bool,
    listeners: tuple[Listener, ...],
) -> tuple[Action, ...]:
    """Plan, and with a lease do it."""
    here, there = read_lake(source), read_lake(target)
    check_source(here)
    foreign = _foreign(here, there)
    if foreign and not overwrite:
        raise UserError(
            f"{target.url} holds another history: {foreign}. Choose another prefix, or replace "
            "what is there with --overwrite"
        )
    actions = plan_upload(here, there, remove=bool(foreign))
    if lease:
        _Upload(source, target, lease, here, there, listeners).run(actions)
    return actions


def _check_apart(source: ObjectStore, target: ObjectStore) -> None:
    """Raises UserError where one lake would lie within the other, and be taken for a part of it."""
    here, there = (folder and folder.resolve() for folder in map(folder_of, (source, target)))
    if here and there and (here.is_relative_to(there) or there.is_relative_to(here)):
        where = "is where it comes from" if here == there else "and the lake lie in each other"
        raise UserError(f"{target.url} {where}; choose a folder outside of {source.url}")


def check_source(contents: Contents) -> None:
    """Raises UserError unless there are partitions and all their files are there."""
    if not contents.partitions:
        raise UserError(
            f"{contents.url} holds no partition with a manifest: give the folder that has the "
            "tables' folders in it"
        )
    broken = [held for held in contents.partitions if not held.is_whole]
    if broken:
        why = broken[0].problem or "files are missing or have other bytes"
        raise UserError(
            f"{contents.url}: {len(broken):,} partitions are damaged, {broken[0].partition.folder} "
            f"for one ({why}); nothing was uploaded. Make them again with "
            f"`retail-datagen lake repair {contents.url}`"
        )


def plan_upload(here: Contents, there: Contents, remove: bool = False) -> tuple[Action, ...]:
    """What is to be done, partition by partition; removals come first."""
    held = {h.partition: h for h in (*there.partitions, *there.unfinished)}
    actions = []
    if remove:
        own = {h.partition for h in here.partitions}
        tables = {partition.table for partition in own}
        gone = [h for p, h in held.items() if p.table in tables and p not in own]
        actions = [
            Action(Step.REMOVE, h.partition, len(h.files), sum(h.files.values())) for h in gone
        ]
    for wanted in here.partitions:
        assert wanted.manifest is not None
        found = held.get(wanted.partition)
        step = Step.UPLOAD if found is None else Step.REPLACE
        if found is not None and _same(wanted, found):
            step = Step.KEEP
        manifest = wanted.manifest
        actions.append(Action(step, wanted.partition, len(manifest.files), manifest.total_bytes))
    return tuple(actions)


def _same(wanted: Held, found: Held) -> bool:
    if wanted.manifest is None or found.manifest is None:
        return False
    ours, theirs = wanted.manifest, found.manifest
    # Equal content of another history would stand there as that history's.
    same = (ours.digest, ours.stamp.config_hash) == (theirs.digest, theirs.stamp.config_hash)
    return same and found.is_whole and found.success and len(found.files) == len(wanted.files)


def _foreign(here: Contents, there: Contents) -> str:
    """What says that the target holds another history; empty if it does not."""
    own = {h.manifest.stamp.config_hash for h in here.partitions if h.manifest}
    tables = set(here.by_table())
    for held in there.partitions:
        if held.partition.table not in tables or held.manifest is None:
            continue
        if held.manifest.stamp.config_hash not in own:
            return f"{held.partition.folder} has config_hash {held.manifest.stamp.config_hash}"
    return ""


class _Upload:
    """Sends partitions, some at once; each of them in the order that makes manifests true."""

    def __init__(
        self,
        source: ObjectStore,
        target: ObjectStore,
        lease: Lease,
        here: Contents,
        there: Contents,
        listeners: tuple[Listener, ...],
    ) -> None:
        self._source, self._target, self._lease = source, target, lease
        self._here = {held.partition: held for held in here.partitions}
        self._there = {h.partition: h for h in (*there.partitions, *there.unfinished)}
        self._listeners = listeners

    def run(self, actions: Iterable[Action]) -> None:
        work = [action for action in actions if action.step is not Step.KEEP]
        total = sum(action.bytes for action in work)
        done: Counter[str] = Counter()
        if work:
            # Until all is there, no catalog says that it is.
            self._target.delete(CATALOG)
        with Reader(self._source) as reader, ThreadPoolExecutor(_AT_ONCE) as pool:
            futures = {pool.submit(self._do, reader, action): action for action in work}
            try:
                for future in as_completed(futures):
                    future.result()
                    done["partitions"] += 1
                    done["bytes"] += futures[future].bytes
                    self._tell(UploadProgress(done["partitions"], len(work), done["bytes"], total))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        self._lease.check()
        catalog = self._source.get(CATALOG)
        if catalog is not None:
            self._target.put(CATALOG, catalog.data)

    def _do(self, reader: Reader, action: Action) -> None:
        self._lease.check()
        partition = action.partition
        before = self._there.get(partition)
        if before is not None:
            self._target.delete(partition.manifest)
            self._target.delete(partition.success)
        kept = set()
        if action.step is not Step.REMOVE:
            manifest = self._here[partition].manifest
            assert manifest is not None
            kept = {file.path for file in manifest.files}
            self._send(reader, manifest)
        for name in before.files if before else ():
            if name not in kept:
                self._target.delete(f"{partition.folder}/{name}")
        if action.step is not Step.REMOVE:
            self._finish(partition)

    def _send(self, reader: Reader, manifest: Manifest) -> None:
        for file in manifest.files:
            key = f"{manifest.partition.folder}/{file.path}"
            with reader.file(key) as path:
                found = sha256_of(path)
                if found != file.sha256:
                    raise UserError(
                        f"{self._source.url}: {key} is damaged: its sha256 is {found}, its "
                        f"manifest says {file.sha256}. Its partition was not uploaded; make it "
                        f"again with `retail-datagen lake repair {self._source.url}`"
                    )
                self._target.upload(path, key, file.sha256)

    def _finish(self, partition: Partition) -> None:
        manifest = self._source.get(partition.manifest)
        if manifest is None:
            raise UserError(f"{self._source.url}: {partition.manifest} was removed meanwhile")
        self._lease.check()
        self._target.put(partition.manifest, manifest.data)
        self._target.put(partition.success, b"")

    def _tell(self, progress: UploadProgress) -> None:
        for listener in self._listeners:
            listener(progress)
