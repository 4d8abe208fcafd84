"""Keeps a lease: renews it in a thread of its own, and tells once it is lost."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from retail_datagen.config.errors import UserError
from retail_datagen.store import lease

_LOG = logging.getLogger(__name__)
_RENEWALS: Final = 3


def this_holder(what: str) -> str:
    """A name for this process that says where to find it, and that no other has."""
    return f"{what} in process {os.getpid()} on {socket.gethostname()} [{uuid.uuid4().hex[:8]}]"


class KeptLease:
    """The store's lease, ours until `release`, or until it is lost."""

    def __init__(self, engine: Engine, holder: str, seconds: float = lease.SECONDS) -> None:
        """Take the lease. Raises UserError that names who has it."""
        self._engine = engine
        self._holder = holder
        self._seconds = seconds
        self._lost = ""
        self._lock = threading.Lock()
        self._expires = self._from_now()
        lease.acquire(engine, holder, seconds)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise UserError once the lease is not ours any more."""
        if time.monotonic() >= self._expires:
            self._renew()
        if self._lost:
            raise UserError(
                f"this simulation ended, so that no two write at once: {self._lost}. What it "
                "booked is kept; start it again"
            )

    def release(self) -> None:
        """Let the next one in. Doing it twice is allowed."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._thread.join()
        with self._lock:
            try:
                lease.release(self._engine, self._holder)
            except DBAPIError as error:
                _LOG.info("the lease was left to expire: %s", error)

    def _keep(self) -> None:
        while not self._ended.wait(self._seconds / _RENEWALS):
            self._renew()

    def _renew(self) -> None:
        with self._lock:
            if self._lost:
                return
            # Counted from before the database is asked: ours ends first.
            expires, trouble = self._from_now(), ""
            try:
                lease.renew(self._engine, self._holder, self._seconds)
                self._expires = expires
            except lease.LeaseLost:
                other = self._other()
                self._lost = f"its lease ran out{f', and now {other} has it' if other else ''}"
            except DBAPIError as error:
                trouble = " ".join(str(error.orig).split())
            if trouble and time.monotonic() >= self._expires:
                self._lost = f"its lease could not be renewed in time: {trouble}"

    def _other(self) -> str:
        try:
            holder = lease.current(self._engine)
        except DBAPIError:
            return ""
        return holder.name if holder else ""

    def _from_now(self) -> float:
        return time.monotonic() + self._seconds
