"""What a job remembers of a target, so that the next run can go on: the `_job` folder.

job.json              what the history is made from, and its first day
partitions.jsonl      one line per finished partition
plans/plan-YYYYMMDD.bin
state-YYYYMMDD.bin    the planner after that day, the last two
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from retail_datagen.config.errors import UserError
from retail_datagen.core.calendar import to_date, to_day
from retail_datagen.core.files import damage, remove_temporaries, write_atomic
from retail_datagen.engine.source import Identity
from retail_datagen.sinks import PartitionRecord

FORMAT_VERSION = 1
_DIGEST_BYTES = 16
_STATES_KEPT = 2


@dataclass(frozen=True, slots=True)
class Header:
    """`job.json`: what the history is made from, where it begins and what it is written as."""

    identity: Identity
    history_start: int
    format: str
    created: str
    format_version: int = FORMAT_VERSION

    @classmethod
    def new(cls, identity: Identity, history_start: int, format: str) -> Header:
        return cls(identity, history_start, format, datetime.now(UTC).isoformat(timespec="seconds"))

    def to_json(self) -> str:
        return json.dumps(
            {
                "format_version": self.format_version,
                "version": self.identity.version,
                "config": self.identity.config,
                "master": self.identity.master,
                "history_start": to_date(self.history_start).isoformat(),
                "format": self.format,
                "created": self.created,
                "settings": dict(self.identity.settings),
            },
            indent=2,
        )

    @classmethod
    def from_json(cls, text: str) -> Header:
        """Raises ValueError, KeyError, TypeError or AttributeError when the text is no header."""
        raw = json.loads(text)
        return cls(
            Identity(raw["version"], raw["config"], raw["master"], dict(raw.get("settings", {}))),
            to_day(date.fromisoformat(raw["history_start"])),
            raw["format"],
            raw["created"],
            int(raw["format_version"]),
        )


def read_header(folder: Path) -> Header | None:
    """The header in a job folder, or None when there is none. Raises UserError if damaged."""
    path = folder / "job.json"
    try:
        return Header.from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path} is damaged ({damage(error)}); start anew with --overwrite or choose another "
            "folder with --to"
        ) from error


def differences(old: Header, identity: Identity, format: str) -> list[str]:
    """What keeps a job from going on with a history, in the user's words; empty if nothing."""
    found = []
    if old.format_version != FORMAT_VERSION:
        found.append(f"the job record has format {old.format_version}, now {FORMAT_VERSION}")
    if old.identity.version != identity.version:
        found.append(f"version was {old.identity.version}, now {identity.version}")
    if old.identity.config != identity.config:
        found.append(_settings_that_differ(old.identity, identity))
    if old.identity.master != identity.master:
        found.append(f"master data was {old.identity.master[:12]}, now {identity.master[:12]}")
    if old.format != format:
        found.append(f"format was {old.format}, now {format}")
    return found


def _settings_that_differ(old: Identity, new: Identity) -> str:
    names = sorted(set(old.settings) | set(new.settings))
    changed = [
        f"{n} was {old.settings.get(n, 'absent')}, now {new.settings.get(n, 'absent')}"
        for n in names
        if old.settings.get(n) != new.settings.get(n)
    ]
    if not changed:
        return f"config was {old.config[:12]}, now {new.config[:12]}"
    more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
    return "; ".join(changed[:5]) + more


class Damaged(Exception):
    """A plan or state that is not what was written."""


class Plans:
    """The plans on file, each with a digest in front so that damage is noticed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, day: int) -> Path:
        return self.folder / f"plan-{to_date(day):%Y%m%d}.bin"

    def write(self, day: int, data: bytes) -> None:
        _write_checked(self.path(day), data)

    def read(self, day: int) -> bytes:
        """Raises Damaged, or FileNotFoundError."""
        return _read_checked(self.path(day))

    def has(self, day: int) -> bool:
        """Whether that plan is there and whole."""
        try:
            self.read(day)
        except (OSError, Damaged):
            return False
        return True

    def missing(self, days: Iterable[int]) -> list[int]:
        """Those of the days that have no whole plan, in order."""
        return [day for day in sorted(set(days)) if not self.has(day)]


class JobStore:
    """The `_job` folder of a target. One process writes it, under a `JobLock`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plans = Plans(folder / "plans")
        self._journal = folder / "partitions.jsonl"

    def read_header(self) -> Header | None:
        return read_header(self.folder)

    def write_header(self, header: Header) -> None:
        write_atomic(self.folder / "job.json", (header.to_json() + "\n").encode())

    def recover(self) -> None:
        """Remove what a killed job left half-written, and a torn last line of the journal."""
        remove_temporaries(self.folder)
        remove_temporaries(self.plans.folder)
        with suppress(FileNotFoundError):
            content = self._journal.read_bytes()
            whole = content.rfind(b"\n") + 1
            if whole < len(content):
                os.truncate(self._journal, whole)

    def forget(self) -> None:
        """Remove the header: from here on the target counts as nobody's."""
        (self.folder / "job.json").unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove everything but who holds the lock."""
        self.forget()
        self._journal.unlink(missing_ok=True)
        shutil.rmtree(self.plans.folder, ignore_errors=True)
        for path in self.folder.glob("state-*.bin"):
            path.unlink(missing_ok=True)

    def records(self) -> dict[tuple[str, int], PartitionRecord]:
        """The finished partitions by table and day; lines that cannot be read are left out."""
        found: dict[tuple[str, int], PartitionRecord] = {}
        with suppress(FileNotFoundError), self._journal.open("rb") as lines:
            for line in lines:
                with suppress(ValueError, TypeError, KeyError):
                    raw = json.loads(line)
                    record = PartitionRecord(
                        **{**raw, "day": to_day(date.fromisoformat(raw["day"]))}
                    )
                    found[record.table, record.day] = record
        return found

    def add(self, record: PartitionRecord) -> None:
        """Note a finished partition, in one write."""
        with self._journal.open("ab") as journal:
            journal.write(_line(record))

    def note(self, records: Iterable[PartitionRecord]) -> None:
        """Let the journal hold these finished partitions and no others."""
        lines = b"".join(_line(record) for record in records)
        write_atomic(self._journal, lines, durable=False)

    def save_state(self, next_day: int, state: bytes) -> None:
        """Keep the planner as it is before `next_day`; the last two are kept."""
        _write_checked(self._state_path(next_day), state)
        for path in self._states()[:-_STATES_KEPT]:
            path.unlink(missing_ok=True)

    def state_before(self, day: int) -> bytes | None:
        """The latest whole state from which `day` can still be planned, or None."""
        latest = self._state_path(day).name
        for path in reversed(self._states()):
            if path.name <= latest:
                with suppress(OSError, Damaged):
                    return _read_checked(path)
        return None

    def _states(self) -> list[Path]:
        return sorted(self.folder.glob("state-*.bin"))

    def _state_path(self, next_day: int) -> Path:
        return self.folder / f"state-{to_date(next_day - 1):%Y%m%d}.bin"


def _line(record: PartitionRecord) -> bytes:
    line = json.dumps({**asdict(record), "day": to_date(record.day).isoformat()})
    return line.encode() + b"\n"


def _write_checked(path: Path, data: bytes) -> None:
    digest = hashlib.blake2b(data, digest_size=_DIGEST_BYTES).digest()
    write_atomic(path, digest + data, durable=False)


def _read_checked(path: Path) -> bytes:
    content = path.read_bytes()
    data = content[_DIGEST_BYTES:]
    if hashlib.blake2b(data, digest_size=_DIGEST_BYTES).digest() != content[:_DIGEST_BYTES]:
        raise Damaged(path)
    return data
