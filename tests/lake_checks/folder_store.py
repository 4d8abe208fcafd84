"""A folder as an object store, as small as can be: what tests of readers need of one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from retail_datagen.core.files import sha256_of
from retail_datagen.objects.base import Content, Found


class FolderStore:
    """See ObjectStore. `calls` notes what was changed, in order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        return str(self.folder)

    def upload(self, source: Path, key: str, sha256: str) -> None:
        assert sha256_of(source) == sha256
        self.calls.append(("upload", key))
        self._room(key)
        shutil.copyfile(source, self.folder / key)

    def put(self, key: str, data: bytes) -> None:
        self.calls.append(("put", key))
        self._room(key).write_bytes(data)

    def create(self, key: str, data: bytes) -> bool:
        if (self.folder / key).exists():
            return False
        self._room(key).write_bytes(data)
        return True

    def swap(self, key: str, data: bytes, version: str) -> bool:
        found = self.get(key)
        if found is None or found.version != version:
            return False
        self._room(key).write_bytes(data)
        return True

    def get(self, key: str) -> Content | None:
        path = self.folder / key
        if not path.is_file():
            return None
        return Content(path.read_bytes(), sha256_of(path))

    def download(self, key: str, target: Path) -> None:
        shutil.copyfile(self.folder / key, target)

    def find(self, key: str) -> Found | None:
        path = self.folder / key
        return Found(key, path.stat().st_size, sha256_of(path)) if path.is_file() else None

    def list(self, folder: str = "") -> Iterator[Found]:
        paths = [path for path in (self.folder / folder).rglob("*") if path.is_file()]
        for key in sorted(path.relative_to(self.folder).as_posix() for path in paths):
            yield Found(key, (self.folder / key).stat().st_size, "")

    def delete(self, key: str) -> None:
        if (self.folder / key).exists():
            self.calls.append(("delete", key))
            (self.folder / key).unlink()

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        pass

    def _room(self, key: str) -> Path:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


class RemoteStore(FolderStore):
    """One whose URL is that of a bucket, so that everything goes through `download` and `get`."""

    @property
    def url(self) -> str:
        return "s3://bucket/lake"
