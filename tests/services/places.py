"""Empty places for object stores, by kind, and what tests of stores ask of them."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from retail_datagen.objects import Content, ObjectStore, open_store


@dataclass(frozen=True, slots=True)
class Place:
    """An empty place of a kind, and the address of its server, if it has one."""

    kind: str
    url: str
    server: str | None

    def open(self) -> ObjectStore:
        return open_store(self.url)


def place_of(kind: str, request: pytest.FixtureRequest) -> Place:
    match kind:
        case "s3":
            return Place(
                kind, request.getfixturevalue("s3_url"), request.getfixturevalue("moto_server")
            )
        case "gcs":
            return Place(
                kind, request.getfixturevalue("gcs_url"), request.getfixturevalue("gcs_server")
            )
        case _:
            return Place(kind, str(request.getfixturevalue("tmp_path") / "lake"), None)


def a_file(path: Path, size: int, seed: int = 1) -> tuple[Path, str]:
    """A file of random bytes and its sha256."""
    data = random.Random(seed).randbytes(size)
    path.write_bytes(data)
    return path, hashlib.sha256(data).hexdigest()


def keys(store: ObjectStore, folder: str = "") -> list[str]:
    return [found.key for found in store.list(folder)]


def content(store: ObjectStore, key: str) -> Content:
    found = store.get(key)
    assert found is not None
    return found
