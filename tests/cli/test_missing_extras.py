"""Without an extra's packages its commands say what to install, and others work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_STORE = ("sqlalchemy", "alembic", "fastapi", "starlette", "uvicorn", "psycopg")
_WITHOUT = """
import sys
for name in {names!r}:
    sys.modules[name] = None  # importing it fails, as where it is not installed
from retail_datagen.cli.app import main
sys.argv = ["retail-datagen", *{arguments!r}]
main()
"""


def run_without(names: tuple[str, ...], *arguments: str, cwd: Path) -> tuple[int, str]:
    code = _WITHOUT.format(names=names, arguments=arguments)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=cwd
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("serve",),
        ("simulate", "--database-url", "sqlite:///store.db"),
        ("store", "verify"),
        ("store", "reset", "--yes"),
        ("inventory", "generate", "--items", "5", "--database-url", "sqlite:///store.db"),
        ("inventory", "backfill", "--days", "2"),
    ],
)
def test_a_store_says_what_to_install(command: tuple[str, ...], tmp_path: Path) -> None:
    code, told = run_without(_STORE, *command, cwd=tmp_path)
    assert code != 0
    assert "pip install 'retail-datagen[store]'" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("packages", "target", "extra"),
    [
        (("confluent_kafka",), "kafka://127.0.0.1:9", "kafka"),
        (("clickhouse_connect",), "clickhouse://127.0.0.1:9", "clickhouse"),
        (("chdb",), "chdb:./retail.chdb", "clickhouse"),
        (("psycopg",), "postgresql://u:p@127.0.0.1:9/d", "postgres"),
    ],
)
def test_a_target_says_what_to_install(
    packages: tuple[str, ...], target: str, extra: str, tmp_path: Path
) -> None:
    code, told = run_without(packages, "backfill", "--months", "1", "--to", target, cwd=tmp_path)
    assert code != 0
    assert f"pip install 'retail-datagen[{extra}]'" in told
    assert "Traceback" not in told


def test_help_needs_no_extra(tmp_path: Path) -> None:
    code, told = run_without((*_STORE, "confluent_kafka", "chdb"), "--help", cwd=tmp_path)
    assert code == 0
    assert "serve" in told
