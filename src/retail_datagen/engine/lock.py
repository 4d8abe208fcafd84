"""One job at a time per target, and no orphaned worker of an earlier one.

The operating system drops these locks when their process ends, however it ends.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from retail_datagen.config.errors import UserError

if sys.platform == "win32":
    import msvcrt

    _FAR_BEHIND_THE_TEXT = 1 << 30

    def _try_lock(descriptor: int, shared: bool) -> bool:
        if shared:  # Windows has no shared form: orphans there go unnoticed.
            return True
        os.lseek(descriptor, _FAR_BEHIND_THE_TEXT, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(descriptor: int, shared: bool) -> bool:
        mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


_ORPHAN_SECONDS = 30.0


class JobLock:
    """Held by a job as long as it runs."""

    def __init__(
        self, folder: Path, target: str = "", elsewhere: str = "another folder with --to"
    ) -> None:
        """Take the lock of a job folder. Raises UserError that names who holds it.

        `target` is what the job writes to, where it is not the folder around, and `elsewhere` what
        to choose in its place.
        """
        path = folder / "lock"
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if not _try_lock(self._descriptor, shared=False):
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            holder = os.read(self._descriptor, 200).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise UserError(
                f"another job is writing to {target or folder.parent} "
                f"({holder or 'just started'}); wait until it ends, or stop it, or choose "
                f"{elsewhere}"
            )
        since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, f"process {os.getpid()}, since {since}\n".encode())
        try:
            _wait_for_orphans(folder)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Let the next job in. Doing it twice is allowed."""
        if self._descriptor >= 0:
            with suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = -1


def hold_as_worker(folder: Path) -> None:
    """Tell that a worker is writing, until this process ends."""
    descriptor = os.open(folder / "workers", os.O_RDWR | os.O_CREAT, 0o644)
    _try_lock(descriptor, shared=True)


def _wait_for_orphans(folder: Path) -> None:
    """Wait until no worker of a killed job writes any more: they end within moments."""
    descriptor = os.open(folder / "workers", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        deadline = time.monotonic() + _ORPHAN_SECONDS
        while not _try_lock(descriptor, shared=False):
            if time.monotonic() > deadline:
                raise UserError(
                    f"workers of an earlier job still write to {folder.parent}; stop them first"
                )
            time.sleep(0.05)
    finally:
        os.close(descriptor)
