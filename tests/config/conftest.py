"""A folder to write configurations in, with no RETAIL_ variable of the machine in sight."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

TINY = Path(__file__).parent / "tiny.yaml"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.upper().startswith("RETAIL_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, object], Path]:
    """Writes a file, given as text or as data that becomes JSON; returns its name alone."""

    def _write(name: str, content: object) -> Path:
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return Path(name)

    return _write


@pytest.fixture
def tiny() -> str:
    """The path of a small profile of the tests' own."""
    return str(TINY)
