"""A folder as an object store: objects are files, which appear whole or not at all.

What is being written lies in a hidden folder of its own, which lists leave out.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import shutil
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from retail_datagen.core.files import publish, sha256_of, staged_file
from retail_datagen.objects.base import Content, Found, checked
from retail_datagen.objects.failures import changed, os_failure, unreadable

_HIDDEN = ".retail-datagen"
_ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EACCES)
_READ_BYTES = 1 << 20
_LOCKS = 16
# Folders come and go while others delete; more often than that nobody is that unlucky.
_TRIES = 100


class LocalStore:
    """See ObjectStore. Versions are when, how long and which a file is: contents are not read.

    Uploaded files share the source's place on disk where they can: it may be removed afterwards,
    but not be written into.
    """

    def __init__(self, folder: Path) -> None:
        """Raises StoreError where a file stands in its place."""
        self._folder = Path(os.path.abspath(folder))
        self._hidden = self._folder / _HIDDEN
        self._host = re.sub(r"[^\w.]", "_", socket.gethostname())
        self._swept = False
        self._sweeping = threading.Lock()
        if self._folder.exists() and not self._folder.is_dir():
            raise os_failure("use", self.url, NotADirectoryError(errno.ENOTDIR, "not a folder"))

    @property
    def url(self) -> str:
        return str(self._folder)

    def upload(self, source: Path, key: str, sha256: str) -> None:
        try:
            os.stat(source)
        except OSError as error:
            raise unreadable(source, error) from None
        with self._failing("write", key):
            temporary = self._temporary()
            try:
                try:
                    self._in_folder(temporary, lambda: os.link(source, temporary))
                except OSError as error:
                    if error.errno not in _NO_LINKS:
                        raise
                    self._in_folder(temporary, lambda: shutil.copyfile(source, temporary))
                    if sha256_of(temporary) != sha256:
                        raise changed(source) from None
                self._place(temporary, key)
            finally:
                # Renaming does nothing where both names are the same file's already.
                _remove(temporary)

    def put(self, key: str, data: bytes) -> None:
        with self._failing("write", key), self._written(data) as temporary:
            self._place(temporary, key)

    def create(self, key: str, data: bytes) -> bool:
        path = self._path(key)
        with self._failing("create", key), self._written(data) as temporary:
            try:
                self._in_folder(path, lambda: os.link(temporary, path))
            except FileExistsError:
                return self._not_made(path)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                try:
                    self._in_folder(path, lambda: _write_new(path, data))
                except FileExistsError:
                    return self._not_made(path)
        return True

    def swap(self, key: str, data: bytes, version: str) -> bool:
        with self._failing("replace", key), self._locked(key):
            found = self.find(key)
            if found is None or found.version != version:
                return False
            with self._written(data) as temporary:
                self._place(temporary, key)
        return True

    def get(self, key: str) -> Content | None:
        with self._failing("read", key):
            try:
                with open(self._path(key), "rb") as file:
                    return Content(file.read(), _version(os.fstat(file.fileno())))
            except _ABSENT:
                return None

    def download(self, key: str, target: Path) -> None:
        with self._failing("read", key), open(self._path(key), "rb") as file:
            with staged_file(target) as copy:
                while block := file.read(_READ_BYTES):
                    copy.write(block)
            publish([target], durable=False)

    def find(self, key: str) -> Found | None:
        path = self._path(key)
        with self._failing("read", key):
            try:
                status = os.stat(path)
            except _ABSENT:
                return None
            if not path.is_file():
                return None
            return Found(key, status.st_size, _version(status))

    def list(self, folder: str = "") -> Iterator[Found]:
        folder = folder.strip("/")
        path = self._path(folder) if folder else self._folder
        with self._failing("list", folder):
            yield from self._walk(path, f"{folder}/" if folder else "")

    def delete(self, key: str) -> None:
        path = self._path(key)
        with self._failing("delete", key):
            if not os.path.lexists(path):
                return
            with self._locked(key), suppress(FileNotFoundError, NotADirectoryError):
                os.unlink(path)
            self._remove_empty(path.parent)

    def flush(self) -> None:
        os.sync()

    def close(self) -> None:
        with suppress(OSError):
            for name in os.listdir(self._hidden):
                if name.endswith(".lock"):
                    with suppress(OSError):
                        self._remove_lock(self._hidden / name)
            os.rmdir(self._hidden)

    def _path(self, key: str) -> Path:
        return self._folder / checked(key)

    def _walk(self, folder: Path, prefix: str) -> Iterator[Found]:
        try:
            with os.scandir(folder) as entries:
                # As keys are ordered: that of a folder's objects go on with a slash.
                named = sorted((e.name + "/" if e.is_dir() else e.name, e) for e in entries)
        except _ABSENT:
            return
        for name, entry in named:
            if name.endswith("/"):
                if prefix or entry.name != _HIDDEN:
                    yield from self._walk(folder / entry.name, prefix + name)
            elif not (name.startswith(".") and name.endswith(".tmp")):
                with suppress(FileNotFoundError):
                    status = entry.stat()
                    yield Found(prefix + name, status.st_size, _version(status))

    def _place(self, temporary: Path, key: str) -> None:
        path = self._path(key)
        self._in_folder(path, lambda: os.replace(temporary, path))

    def _in_folder(self, path: Path, write: Callable[[], object]) -> None:
        """Run what makes `path`, with its folder there: somebody may be removing it as empty."""
        for _ in range(_TRIES):
            try:
                write()
                return
            except FileNotFoundError:
                try:
                    path.parent.mkdir(parents=True, exist_ok=True)
                except (FileNotFoundError, FileExistsError):
                    if any(parent.is_file() for parent in path.parents):
                        raise
        write()

    def _not_made(self, path: Path) -> bool:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        return False

    def _temporary(self) -> Path:
        """A name that no other process or thread uses."""
        if not self._swept:
            with self._sweeping:
                self._sweep()
                self._swept = True
        return self._hidden / f"{self._host}-{os.getpid()}-{uuid.uuid4().hex}.tmp"

    def _sweep(self) -> None:
        """Remove what processes of this host left behind when they were killed."""
        ours = re.compile(rf"{re.escape(self._host)}-(\d+)-[0-9a-f]+\.tmp")
        with suppress(OSError):
            for name in os.listdir(self._hidden):
                found = ours.fullmatch(name)
                if found and not _is_running(int(found[1])):
                    _remove(self._hidden / name)

    @contextmanager
    def _written(self, data: bytes) -> Iterator[Path]:
        temporary = self._temporary()
        try:
            self._in_folder(temporary, lambda: temporary.write_bytes(data))
            # The system's own times go by ticks of milliseconds: too coarse for a version.
            now = time.time_ns()
            os.utime(temporary, ns=(now, now))
            yield temporary
        finally:
            _remove(temporary)

    @contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        """One swap or deletion of an object at a time, on all processes that share the folder.

        Some objects share a lock. It stays until the store is closed: file systems are slow to
        make files where many were removed a moment ago.
        """
        number = hashlib.blake2b(key.encode(), digest_size=1).digest()[0] % _LOCKS
        path = self._hidden / f"{number:02}.lock"
        opened: list[int] = []
        while True:
            self._in_folder(
                path, lambda: opened.append(os.open(path, os.O_CREAT | os.O_RDWR, 0o666))
            )
            descriptor = opened.pop()
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                # Whoever held it may have removed it: then another file is the lock by now.
                if _is_at(descriptor, path):
                    yield
                    return
            finally:
                os.close(descriptor)

    def _remove_lock(self, path: Path) -> None:
        """Remove a lock that nobody holds. Raises OSError."""
        descriptor = os.open(path, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, path):
                os.unlink(path)
        finally:
            os.close(descriptor)

    def _remove_empty(self, folder: Path) -> None:
        with suppress(OSError):
            while folder != self._folder:
                os.rmdir(folder)
                folder = folder.parent

    @contextmanager
    def _failing(self, doing: str, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise os_failure(doing, str(self._folder / key), error) from None


def _version(status: os.stat_result) -> str:
    return f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"


def _write_new(path: Path, data: bytes) -> None:
    with open(path, "xb") as file:
        file.write(data)


def _is_at(descriptor: int, path: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    return False


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove(path: Path) -> None:
    with suppress(OSError):
        os.unlink(path)
