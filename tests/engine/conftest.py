"""A small real retailer, and the command line in a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

DAYS = 12
Start = Callable[..., "subprocess.Popen[str]"]


def digests(root: Path) -> dict[str, str]:
    """sha256 of each partition under `root`."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in partitions(root)
    }


def partitions(root: Path) -> list[Path]:
    """The partitions under `root` that have appeared."""
    return sorted(path for path in root.glob("*/dt=*/*") if not path.name.startswith("."))


@pytest.fixture(scope="session")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Master data that all tests of a session share, built by the first of them."""
    return tmp_path_factory.mktemp("retailer") / "master"


@pytest.fixture
def config(tmp_path: Path, master: Path) -> Path:
    """The configuration file of a retailer of three stores, with facts of its own."""
    path = tmp_path / "config.json"
    content = {
        "seed": 7,
        "volume": {
            "stores": 3,
            "dcs": 1,
            "customers_per_day": 150,
            "online_orders_per_day": 20,
            "customers": 1000,
            "products": 120,
        },
        "paths": {"master": str(master), "facts": str(tmp_path / "facts")},
        "calendar": {"first": "2024-01-01", "last": "2024-12-31"},
    }
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def start(config: Path, tmp_path: Path) -> Start:
    """Start `retail-datagen generate` with that configuration and further arguments."""

    def start(*arguments: str, last: int = DAYS) -> subprocess.Popen[str]:
        code = "from retail_datagen.cli.app import main; main()"
        days = () if "--only-day" in arguments else _days(last)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        return subprocess.Popen(
            [sys.executable, "-c", code, "generate", "-c", str(config), *days, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=tmp_path,
            start_new_session=True,
        )

    return start


def _days(last: int) -> tuple[str, ...]:
    return "--start", "2024-01-01", "--end", f"2024-01-{last:02}"
