"""A lake as it lies there: its partitions by their manifests, and what lies there without one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory, mkstemp
from typing import Self

import pyarrow as pa

from retail_datagen.config.errors import UserError
from retail_datagen.objects.base import Found, ObjectStore
from retail_datagen.partitions.layout import MANIFEST, SUCCESS, Partition
from retail_datagen.partitions.manifest import Manifest, ManifestError

_AT_ONCE = 16
_KEYS_A_TASK = 32


@dataclass(frozen=True, slots=True)
class Held:
    """A partition's folder. `manifest` is None where there is none, or `problem` says why.

    `files` are the bytes, by name, of all that lies there besides manifest and _SUCCESS.
    """

    partition: Partition
    manifest: Manifest | None
    problem: str
    files: Mapping[str, int]
    success: bool

    @property
    def is_whole(self) -> bool:
        """Whether the files that the manifest names are there, by their bytes."""
        return self.manifest is not None and all(
            self.files.get(file.path) == file.bytes for file in self.manifest.files
        )


@dataclass(frozen=True, slots=True)
class Contents:
    """What lies in a lake, in the order of tables and partitions.

    `partitions` have a manifest, though perhaps a damaged one; `unfinished` have none, so that
    they do not exist yet. `others` are objects that lie in no partition's folder.
    """

    url: str
    partitions: tuple[Held, ...]
    unfinished: tuple[Held, ...]
    others: tuple[Found, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that could be a lake's."""
        return not self.partitions and not self.unfinished

    def by_table(self) -> dict[str, tuple[Held, ...]]:
        """The partitions that have a manifest, of each table that has any."""
        return {
            table: tuple(held)
            for table, held in groupby(self.partitions, lambda h: h.partition.table)
        }


def no_lake(url: str) -> UserError:
    """What people are told where there is no lake at all, lest nothing be taken for one."""
    return UserError(
        f"{url} holds no lake: give the folder or prefix that has the tables' folders in it"
    )


def read_lake(store: ObjectStore, tables: Collection[str] | None = None) -> Contents:
    """List a lake once and read its manifests, many at a time; with `tables`, those only.

    Raises StoreError.
    """
    folders: dict[Partition, list[Found]] = {}
    others: list[Found] = []
    for folder, found in groupby(store.list(), lambda f: f.key.rpartition("/")[0]):
        partition = Partition.parse(folder)
        if partition is None:
            others += found
        elif tables is None or partition.table in tables:
            folders.setdefault(partition, []).extend(found)
    partitions = sorted(folders)
    names = {p: {f.key.rpartition("/")[2]: f.bytes for f in folders[p]} for p in partitions}
    manifests = read_manifests(store, [p for p in partitions if MANIFEST in names[p]])
    held = [_held(partition, names[partition], manifests) for partition in partitions]
    return Contents(
        store.url,
        tuple(h for h in held if h.manifest is not None or h.problem),
        tuple(h for h in held if h.manifest is None and not h.problem),
        tuple(others),
    )


def read_manifests(
    store: ObjectStore, partitions: Iterable[Partition]
) -> dict[Partition, Manifest | str]:
    """The manifests of those partitions that have one, or why they cannot be read."""
    wanted = list(partitions)
    tasks = [wanted[i : i + _KEYS_A_TASK] for i in range(0, len(wanted), _KEYS_A_TASK)]

    def read(task: list[Partition]) -> list[tuple[Partition, Manifest | str | None]]:
        return [(partition, _manifest(store, partition)) for partition in task]

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return {p: found for task in pool.map(read, tasks) for p, found in task if found}


def _manifest(store: ObjectStore, partition: Partition) -> Manifest | str | None:
    content = store.get(partition.manifest)
    if content is None:
        return None
    try:
        return Manifest.from_json(content.data)
    except ManifestError as error:
        return str(error)


def _held(
    partition: Partition, names: Mapping[str, int], manifests: Mapping[Partition, Manifest | str]
) -> Held:
    found = manifests.get(partition)
    files = {name: size for name, size in names.items() if name not in (MANIFEST, SUCCESS)}
    if isinstance(found, Manifest):
        return Held(partition, found, "", files, SUCCESS in names)
    return Held(partition, None, found or "", files, SUCCESS in names)


def folder_of(store: ObjectStore) -> Path | None:
    """The folder that a store is; None for one that is elsewhere."""
    if store.url.startswith("file:"):
        return Path(store.url.removeprefix("file://").removeprefix("file:"))
    return None if "://" in store.url else Path(store.url)


class Reader:
    """Brings a lake's files into memory, one at a time for each thread; a context manager."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._folder = folder_of(store)
        self._brought = TemporaryDirectory(prefix="retail-lake-")

    @property
    def is_local(self) -> bool:
        """Whether reading waits for no network."""
        return self._folder is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._brought.cleanup()

    def read(self, key: str) -> pa.Buffer:
        """An object's content. Raises StoreError, and OSError for a folder's file."""
        with self.file(key) as path:
            return pa.py_buffer(path.read_bytes())

    @contextmanager
    def file(self, key: str) -> Iterator[Path]:
        """An object as a file, for as long as the block lasts. Raises StoreError."""
        if self._folder is not None:
            yield self._folder / key
            return
        handle, name = mkstemp(dir=self._brought.name)
        path = Path(name)
        try:
            with open(handle, "wb"):
                pass
            self._store.download(key, path)
            yield path
        finally:
            path.unlink(missing_ok=True)
