"""What a lake job leaves on this machine for people: the checkpoint and the last identifiers.

Neither is trusted: where they disagree with the target's manifests, they are put right.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from retail_datagen.config.errors import UserError
from retail_datagen.core.calendar import to_date, to_day
from retail_datagen.core.files import write_atomic

ID_STATE = ".id_state.json"
CHECKPOINT = ".backlog_checkpoint"


@dataclass(frozen=True, slots=True)
class IdState:
    """The last numbers that were given out; 0 before the first."""

    last_cart_id: int
    last_order_id: int
    last_return_id: int


def read_id_state(path: Path) -> IdState | None:
    """None where there is none, or none that can be read."""
    try:
        raw = json.loads(path.read_bytes())
        return IdState(
            int(raw["last_cart_id"]), int(raw["last_order_id"]), int(raw["last_return_id"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_id_state(path: Path, state: IdState | None) -> None:
    """Write the last numbers and the time, or remove what is there. Raises UserError."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    data = json.dumps({**asdict(state), "last_updated": now}, indent=2) if state else None
    _replace(path, data)


def read_checkpoint(path: Path) -> int | None:
    """The last completed day; None where there is none, or none that can be read."""
    try:
        return to_day(date.fromisoformat(path.read_text(encoding="utf-8").strip()))
    except (OSError, ValueError):
        return None


def write_checkpoint(path: Path, day: int | None) -> None:
    """Write the last completed day, or remove what is there. Raises UserError."""
    _replace(path, None if day is None else to_date(day).isoformat())


def _replace(path: Path, line: str | None) -> None:
    try:
        if line is None:
            path.unlink(missing_ok=True)
        else:
            write_atomic(path, f"{line}\n".encode())
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror or error}; free some space or choose a place "
            "that you may write to (ARTIFACT_ROOT, ID_STATE_FILE, CHECKPOINT_FILE)"
        ) from error
