"""One job at a time per prefix: a small object that is there while a job writes.

Taken by conditional create, renewed by conditional swap, gone or expired after the job's end.
Clocks of hosts that share a lake should agree to a few seconds.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from retail_datagen.config.errors import UserError
from retail_datagen.objects.base import ObjectStore, StoreError
from retail_datagen.partitions.layout import LEASE

_LOG = logging.getLogger(__name__)
TTL_SECONDS = 60.0
_RENEWALS_PER_TTL = 3
_TRIES = 5


class LeaseError(UserError):
    """Another job writes there, or has taken over; the message says who."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A process. `started` is opaque: two processes of one number differ in it."""

    host: str
    pid: int
    started: str

    @classmethod
    def this_process(cls) -> Holder:
        pid = os.getpid()
        return cls(socket.gethostname(), pid, _started(pid))

    @property
    def is_dead(self) -> bool:
        """Whether this process is known to have ended: only its own host can tell."""
        if self.host != socket.gethostname() or not self.started:
            return False
        machine = self.started.rpartition("/")[0]
        return machine == _machine() and _started(self.pid) != self.started


@dataclass(frozen=True, slots=True)
class Claim:
    """What the lease's object says. Times are UTC in ISO 8601; no two leases share a token."""

    holder: Holder
    token: str
    since: str
    expires: str

    def to_json(self) -> bytes:
        return (json.dumps(asdict(self), indent=2) + "\n").encode()

    @classmethod
    def from_json(cls, data: bytes) -> Claim | None:
        """None for what is no claim: then nobody holds it."""
        try:
            raw = json.loads(data)
            holder = raw["holder"]
            claim = cls(
                Holder(str(holder["host"]), int(holder["pid"]), str(holder["started"])),
                str(raw["token"]),
                str(raw["since"]),
                str(raw["expires"]),
            )
            _ = claim.is_over
        except (ValueError, KeyError, TypeError):
            return None
        return claim

    @property
    def is_over(self) -> bool:
        return datetime.fromisoformat(self.expires) <= datetime.now(UTC)


class Lease:
    """Held from `take` to `release`; a thread of its own renews it."""

    def __init__(self, store: ObjectStore, claim: Claim, ttl: float) -> None:
        self._store = store
        self._claim = claim
        self._ttl = ttl
        self._lost: str | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        self._thread.start()

    @classmethod
    def take(cls, store: ObjectStore, ttl: float = TTL_SECONDS) -> Lease:
        """Take the lease of a prefix for `ttl` seconds at a time.

        One that has expired, or whose holder is a dead process of this host, is taken over.
        Raises LeaseError that says who holds it, and StoreError.
        """
        for _ in range(_TRIES):
            now = datetime.now(UTC)
            claim = Claim(Holder.this_process(), uuid.uuid4().hex, _text(now), _text(now, ttl))
            data = claim.to_json()
            if store.create(LEASE, data):
                return cls(store, claim, ttl)
            content = store.get(LEASE)
            if content is None:
                continue
            # An answer may be lost on its way although the object was made.
            if content.data == data or _take_over(store, content.data, content.version, data):
                return cls(store, claim, ttl)
        raise LeaseError(
            f"{store.url}: another job took its lease at the same time; wait until it ends, or "
            "choose another prefix"
        )

    def check(self) -> None:
        """Raise LeaseError once the lease is not ours any more."""
        if self._lost is None and self._claim.is_over:
            self._renew()
        if self._lost is not None:
            raise LeaseError(
                f"{self._store.url}: {self._lost}; this job stopped, so that no two write at once. "
                "What is published is kept: run the same command again once the other has ended"
            )

    def release(self) -> None:
        """Let the next job in. Doing it twice is allowed."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._thread.join()
        with self._lock:
            try:
                if self._lost is None and self._held_by_us():
                    self._store.delete(LEASE)
            except StoreError as error:
                _LOG.warning("the lease of %s was left to expire: %s", self._store.url, error)

    def _keep(self) -> None:
        while not self._ended.wait(self._ttl / _RENEWALS_PER_TTL):
            self._renew()

    def _renew(self) -> None:
        with self._lock:
            if self._lost is not None:
                return
            trouble = ""
            try:
                self._lost = self._swap_for_longer()
            except StoreError as error:
                trouble = f" ({error})"
            if self._lost is None and self._claim.is_over:
                self._lost = f"its lease could not be renewed in time{trouble}"

    def _swap_for_longer(self) -> str | None:
        """Renew, and give who took the lease over, if somebody did. Raises StoreError."""
        content = self._store.get(LEASE)
        if content is None or not self._is_ours(content.data):
            return _who_has_it(content.data if content else None)
        claim = replace(self._claim, expires=_text(datetime.now(UTC), self._ttl))
        # Where it is refused, an answer that was lost before may have been a yes.
        if self._store.swap(LEASE, claim.to_json(), content.version) or self._held_by_us():
            self._claim = claim
            return None
        return "its lease was taken over"

    def _held_by_us(self) -> bool:
        content = self._store.get(LEASE)
        return content is not None and self._is_ours(content.data)

    def _is_ours(self, data: bytes) -> bool:
        claim = Claim.from_json(data)
        return claim is not None and claim.token == self._claim.token


def _take_over(store: ObjectStore, found: bytes, version: str, data: bytes) -> bool:
    """Whether `data` now stands in place of a claim that holds no more."""
    held = Claim.from_json(found)
    if held and not held.is_over and not held.holder.is_dead:
        raise LeaseError(
            f"{store.url} is being written by process {held.holder.pid} on {held.holder.host} "
            f"since {held.since} (its lease runs until {held.expires}); wait until it ends, stop "
            "it, or choose another prefix"
        )
    if store.swap(LEASE, data, version):
        return True
    content = store.get(LEASE)
    return content is not None and content.data == data


def _who_has_it(data: bytes | None) -> str:
    claim = Claim.from_json(data) if data else None
    if claim is None:
        return f"its lease ({LEASE}) was removed"
    holder = claim.holder
    return f"process {holder.pid} on {holder.host} took its lease over at {claim.since}"


def _text(now: datetime, seconds: float = 0.0) -> str:
    return (now + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def _machine() -> str:
    """This boot of this machine and its space of process numbers; nothing where unknown."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    return ""


def _started(pid: int) -> str:
    """When a process of this machine began, in ticks since boot; nothing where unknown."""
    machine = _machine()
    if not machine:
        return ""
    with suppress(OSError, IndexError):
        # The name, in brackets, may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return f"{machine}/{fields[19]}"
    return f"{machine}/gone"
