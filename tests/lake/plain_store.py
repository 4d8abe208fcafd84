"""A folder as an object store whose every write is atomic, and one that fails now and then."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from retail_datagen.core.files import sha256_of
from retail_datagen.objects.base import Content, Found, StoreError


class PlainStore:
    """See ObjectStore. `pause` seconds go by in each upload."""

    def __init__(self, folder: Path, pause: float = 0.0) -> None:
        self.folder = folder
        self.pause = pause
        self.puts: list[str] = []
        self._hidden = folder.parent / f"{folder.name}.hidden"
        folder.mkdir(parents=True, exist_ok=True)
        self._hidden.mkdir(exist_ok=True)

    @property
    def url(self) -> str:
        return str(self.folder)

    def upload(self, source: Path, key: str, sha256: str) -> None:
        time.sleep(self.pause)
        assert sha256_of(source) == sha256
        copy = self._new()
        shutil.copyfile(source, copy)
        os.replace(copy, self._room(key))
        self.puts.append(key)

    def put(self, key: str, data: bytes) -> None:
        os.replace(self._new(data), self._room(key))
        self.puts.append(key)

    def create(self, key: str, data: bytes) -> bool:
        try:
            os.link(self._new(data), self._room(key))
        except FileExistsError:
            return False
        return True

    def swap(self, key: str, data: bytes, version: str) -> bool:
        with (self._hidden / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            found = self.get(key)
            if found is None or found.version != version:
                return False
            self.put(key, data)
            return True

    def get(self, key: str) -> Content | None:
        try:
            data = (self.folder / key).read_bytes()
        except FileNotFoundError:
            return None
        return Content(data, str(hash(data)))

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
        (self.folder / key).unlink(missing_ok=True)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def _new(self, data: bytes = b"") -> Path:
        path = self._hidden / uuid.uuid4().hex
        path.write_bytes(data)
        return path

    def _room(self, key: str) -> Path:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


class FailingStore(PlainStore):
    """A share of the changes and reads fails: before anything happens, or although it did."""

    def __init__(self, folder: Path, seed: int, share: float = 0.1) -> None:
        super().__init__(folder)
        self._dice = random.Random(seed)
        self._share = share
        self._turn = threading.Lock()
        self.failures = 0

    def _fails(self) -> float:
        """0 for no, below 0.5 for before it happened."""
        with self._turn:
            if self._dice.random() >= self._share:
                return 0.0
            self.failures += 1
            return self._dice.random() or 1.0

    def _or_fail(self, key: str, fails: float, early: bool) -> None:
        if fails and early == (fails < 0.5):
            raise StoreError(f"{self.url}: {key}: the server said 500")

    def upload(self, source: Path, key: str, sha256: str) -> None:
        fails = self._fails()
        self._or_fail(key, fails, True)
        super().upload(source, key, sha256)
        self._or_fail(key, fails, False)

    def put(self, key: str, data: bytes) -> None:
        fails = self._fails()
        self._or_fail(key, fails, True)
        super().put(key, data)
        self._or_fail(key, fails, False)

    def delete(self, key: str) -> None:
        fails = self._fails()
        self._or_fail(key, fails, True)
        super().delete(key)
        self._or_fail(key, fails, False)

    def create(self, key: str, data: bytes) -> bool:
        fails = self._fails()
        self._or_fail(key, fails, True)
        created = super().create(key, data)
        self._or_fail(key, fails, False)
        return created

    def get(self, key: str) -> Content | None:
        self._or_fail(key, self._fails() and 0.1, True)
        return super().get(key)
