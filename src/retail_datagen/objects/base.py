"""What an object store is to us: a flat name space with conditional writes. One module a cloud.

Keys are relative to the URL's prefix and have `/` between their parts. Stores may be used by
several threads at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from retail_datagen.config.errors import UserError


class StoreError(UserError):
    """An object store that cannot be reached, or refuses; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Found:
    """An object as the store lists it. `version` changes whenever its content does."""

    key: str
    bytes: int
    version: str


@dataclass(frozen=True, slots=True)
class Content:
    """A small object's bytes and their version."""

    data: bytes
    version: str


class ObjectStore(Protocol):
    """A bucket below a prefix, or a folder. Methods raise StoreError once retries are used up."""

    @property
    def url(self) -> str:
        """Where this is, without secrets."""
        ...

    def upload(self, source: Path, key: str, sha256: str) -> None:
        """Put a file there, whole or not at all, and make sure that it arrived as it is.

        In several parts at once where it is large. `sha256` (hex) is that of the file, kept with
        the object where the store can. Uploading again replaces.
        """
        ...

    def put(self, key: str, data: bytes) -> None:
        """Put a small object there, whole or not at all. It replaces."""
        ...

    def create(self, key: str, data: bytes) -> bool:
        """Put a small object there if there is none: False if there is, whoever was first."""
        ...

    def swap(self, key: str, data: bytes, version: str) -> bool:
        """Replace an object if it still has that version: False if it has not."""
        ...

    def get(self, key: str) -> Content | None:
        """A small object, or None where there is none."""
        ...

    def download(self, key: str, target: Path) -> None:
        """Bring an object into a file. Raises StoreError where there is none."""
        ...

    def find(self, key: str) -> Found | None:
        """What is known of an object, or None where there is none."""
        ...

    def list(self, folder: str = "") -> Iterator[Found]:
        """All objects below a folder (all folders below it included), in the order of keys."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens where there is none."""
        ...

    def flush(self) -> None:
        """Wait until all that was put so far survives a failure of the machine."""
        ...

    def close(self) -> None:
        """Release connections and threads. Closing twice is allowed."""
        ...


def checked(key: str) -> str:
    """The key itself. Raises StoreError for one that is empty or would lead elsewhere.

    Keys are read from manifests too, which anybody may have written.
    """
    parts = key.split("/")
    if any(part in ("", ".", "..") for part in parts) or not key.isprintable():
        raise StoreError(
            f"{key!r} cannot be the name of an object: it needs printable parts between slashes, "
            "none of them empty, '.' or '..'"
        )
    return key
