"""The target of a job: opened, locked, and known to hold this very history or none."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from retail_datagen.config.errors import UserError
from retail_datagen.core.calendar import to_date
from retail_datagen.core.files import damage
from retail_datagen.engine.jobstore import Header, JobStore, differences, read_header
from retail_datagen.engine.lock import JobLock
from retail_datagen.engine.source import Retailer
from retail_datagen.sinks import RememberingSink, Sink


@dataclass(frozen=True, slots=True)
class Target:
    """A sink, what is remembered of it, and the first day of the history that it holds."""

    sink: Sink
    store: JobStore
    history_start: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """The days that are asked for; both are included. `history_start` is the user's, if any."""

    first_day: int
    last_day: int
    history_start: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """A target as people know it, and what to choose in its place."""

    name: str
    elsewhere: str = "another folder with --to"

    @classmethod
    def of(cls, sink: Sink, folder: Path) -> Place:
        """`folder` is the job's."""
        remembering = _remembering(sink)
        if remembering:
            return cls(remembering.where, remembering.elsewhere)
        return cls(str(sink.root or folder))


def job_folder(sink: Sink, facts: Path) -> Path | None:
    """Where a job remembers what it did to this sink; None for one that keeps nothing."""
    if not sink.capabilities.durable:
        return None
    return sink.root / "_job" if sink.root else facts / f"_job-{sink.name}"


@contextmanager
def open_target(
    sink: Sink, facts: Path, retailer: Retailer, wanted: Wanted, overwrite: bool
) -> Iterator[Target]:
    """Lock the target for this job and check that the job may write there.

    Raises UserError when another job is running, or the target holds another history and
    `overwrite` is off.
    """
    folder = job_folder(sink, facts)
    if folder is None:
        similar = similar_start(facts, retailer, wanted)
        start = choose_start(None, similar, wanted, Place(str(facts)))
        with tempfile.TemporaryDirectory(prefix="retail-datagen-") as temporary:
            yield Target(sink, JobStore(Path(temporary)), start)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        place = Place.of(sink, folder)
        lock = JobLock(folder, place.name, place.elsewhere)
    except OSError as error:
        raise UserError(f"cannot write to {folder}: {error.strerror}") from error
    try:
        store = JobStore(folder)
        start = _settle(sink, store, facts, retailer, wanted, overwrite)
        yield Target(sink, store, start)
    finally:
        lock.release()


def choose_start(recorded: int | None, similar: int | None, wanted: Wanted, place: Place) -> int:
    """The first day of the history: the recorded one, else the user's, else a similar one's.

    Raises UserError when what is wanted lies before the recorded one.
    """
    asked = wanted.history_start
    if recorded is not None:
        earliest = wanted.first_day if asked is None else min(asked, wanted.first_day)
        if earliest < recorded:
            raise UserError(
                f"start: the history in {place.name} begins on {to_date(recorded)}, so "
                f"{to_date(earliest)} cannot be added to it; choose a later day, "
                f"{place.elsewhere}, or start anew with --overwrite"
            )
        return recorded
    if asked is not None:
        return asked
    return wanted.first_day if similar is None else similar


def similar_start(facts: Path, retailer: Retailer, wanted: Wanted) -> int | None:
    """Where the same retailer's history on file begins, so that all sinks tell one history."""
    header = None
    with suppress(UserError):  # one that is damaged tells nothing, and another folder is a way out
        header = read_header(facts / "_job")
    if header is None or header.history_start > wanted.first_day:
        return None
    if differences(header, retailer.identity, header.format):
        return None
    return header.history_start


def history_of(
    sink: Sink, facts: Path, retailer: Retailer, wanted: Wanted, overwrite: bool
) -> tuple[JobStore | None, int]:
    """What is remembered of a target, if anything, and where its history begins or would begin.

    Looks only. Raises UserError where `open_target` would.
    """
    folder = job_folder(sink, facts)
    similar = similar_start(facts, retailer, wanted)
    if folder is None:
        return None, choose_start(None, similar, wanted, Place(str(facts)))
    place = Place.of(sink, folder)
    header = None if overwrite else read_header(folder)
    if header is None:
        if not overwrite:
            _refuse_unknown(sink, retailer, place)
        return None, choose_start(None, similar, wanted, place)
    _refuse_other(header, retailer, sink, place)
    return JobStore(folder), choose_start(header.history_start, None, wanted, place)


def _settle(
    sink: Sink,
    store: JobStore,
    facts: Path,
    retailer: Retailer,
    wanted: Wanted,
    overwrite: bool,
) -> int:
    """Leave the target with a header that is ours, nothing half-done, and give its first day."""
    place = Place.of(sink, store.folder)
    tables = set(retailer.tables)
    if overwrite:
        # Forgotten first: killed in the middle, what is left is not taken for a history.
        tables |= {table for table, _ in store.records()}
        store.forget()
        sink.clear(tables)
        store.clear()
    remembering = _remembering(sink)
    if remembering:
        sink.recover(tables)
        _recall(remembering, store)
    header = store.read_header()
    if header:
        _refuse_other(header, retailer, sink, place)
        start = choose_start(header.history_start, None, wanted, place)
    else:
        _refuse_unknown(sink, retailer, place)
        start = choose_start(None, similar_start(facts, retailer, wanted), wanted, place)
        store.clear()
        header = Header.new(retailer.identity, start, sink.format)
        if remembering:
            remembering.write_header(header.to_json())
        store.write_header(header)
    store.recover()
    if not remembering:
        sink.recover(tables)
    return start


def _remembering(sink: Sink) -> RememberingSink | None:
    return cast(RememberingSink, sink) if sink.capabilities.remembers else None


def _recall(sink: RememberingSink, store: JobStore) -> None:
    """Put this machine's notes right by what the target says of itself."""
    told = sink.read_header()
    if told is None:
        store.clear()
        return
    try:
        header = Header.from_json(told)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"what {sink.where} says of its history is damaged ({damage(error)}); start anew with "
            f"--overwrite, or choose {sink.elsewhere}"
        ) from error
    known = None
    with suppress(UserError):
        known = store.read_header()
    if known != header:
        store.clear()
        store.write_header(header)
    store.note([p.record for p in sink.progress().values() if p.record])


def _refuse_unknown(sink: Sink, retailer: Retailer, place: Place) -> None:
    if sink.holds(retailer.tables):
        raise UserError(
            f"{place.name} holds tables without a record of how they were made; choose "
            f"{place.elsewhere}, or remove them and start anew with --overwrite"
        )


def _refuse_other(header: Header, retailer: Retailer, sink: Sink, place: Place) -> None:
    changed = differences(header, retailer.identity, sink.format)
    if changed:
        raise UserError(
            f"{place.name} holds another history: {'; '.join(changed)}. Choose "
            f"{place.elsewhere}, go back to what it was made with, or start anew with --overwrite"
        )
