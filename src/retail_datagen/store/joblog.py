"""Jobs on record: what was asked for, how it went, what came of it. They outlive their process."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from sqlalchemy import Connection, Row, false, insert, or_, select, update

from retail_datagen.store.database.models import jobs

State = Literal["queued", "running", "done", "failed", "cancelled"]
OPEN: tuple[State, ...] = ("queued", "running")
_INTERRUPTED = "the server ended before this job did; nothing of it was written, start it again"


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job. `progress` is a share of 1; `message` says what is being done, or what went wrong."""

    id: str
    kind: str
    state: State
    progress: float
    message: str
    params: dict[str, Any]
    result: dict[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


def note_job(connection: Connection, record: JobRecord, server: int | None = None) -> None:
    """Put a job of a server on record: a new one, or what has become of it since."""
    become = {
        "state": record.state,
        "progress": record.progress,
        "message": record.message,
        "result": None if record.result is None else json.dumps(record.result),
        "started_at": record.started_at,
        "ended_at": record.ended_at,
    }
    known = connection.execute(update(jobs).where(jobs.c.id == record.id).values(become))
    if known.rowcount:
        return
    asked = {
        "id": record.id,
        "kind": record.kind,
        "params": json.dumps(record.params),
        "created_at": record.created_at,
        "server": server,
    }
    connection.execute(insert(jobs).values(asked | become))


def find_job(connection: Connection, job: str) -> JobRecord | None:
    """The job of that id."""
    row = connection.execute(select(jobs).where(jobs.c.id == job)).one_or_none()
    return None if row is None else _record(row)


def recent_jobs(connection: Connection, limit: int) -> list[JobRecord]:
    """The latest jobs, the newest first."""
    found = select(jobs).order_by(jobs.c.created_at.desc(), jobs.c.id).limit(limit)
    return [_record(row) for row in connection.execute(found)]


def open_servers(connection: Connection) -> set[int | None]:
    """The servers of jobs that have not ended; None where that is not on record."""
    return set(connection.scalars(select(jobs.c.server).where(jobs.c.state.in_(OPEN)).distinct()))


def open_server(connection: Connection, job: str) -> int | None:
    """The server of a job that has not ended."""
    return connection.scalar(select(jobs.c.server).where(jobs.c.id == job, jobs.c.state.in_(OPEN)))


def give_up_open_jobs(connection: Connection, servers: Collection[int | None], at: datetime) -> int:
    """Jobs that these servers left behind have failed; how many they were."""
    numbers = [server for server in servers if server is not None]
    nobodys = jobs.c.server.is_(None) if None in servers else false()
    theirs = or_(jobs.c.server.in_(numbers), nobodys)
    done = connection.execute(
        update(jobs)
        .where(jobs.c.state.in_(OPEN), theirs)
        .values(state="failed", message=_INTERRUPTED, ended_at=at)
    )
    return int(done.rowcount)


def _record(row: Row[Any]) -> JobRecord:
    return JobRecord(
        row.id,
        row.kind,
        cast(State, row.state),
        row.progress,
        row.message or "",
        json.loads(row.params or "{}"),
        None if row.result is None else json.loads(row.result),
        row.created_at,
        row.started_at,
        row.ended_at,
    )
