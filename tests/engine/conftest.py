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

from retail_datagen.cli.app import main

DAYS = 12
Arguments = Callable[..., list[str]]
Run = Callable[..., tuple[object, str, str]]
Start = Callable[..., "subprocess.Popen[str]"]


def digests(root: Path) -> dict[str, str]:
    """sha256 of each partition under `root`."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in partitions(root)
    }


def partitions(root: Path) -> list[Path]:
    """The partitions under `root` that have appeared."""
    # Unlike glob, walk does not mind folders that a starting job tidies away.
    return sorted(
        Path(folder, name)
        for folder, _, names in os.walk(root)
        for name in names
        if "/dt=" in folder and not name.startswith(".")
    )


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
def arguments(config: Path) -> Arguments:
    """The command line for the first days, or for the day that is asked for."""

    def arguments(*further: str, last: int = DAYS) -> list[str]:
        days = ("--start", "2024-01-01", "--end", f"2024-01-{last:02}")
        asked = () if "--only-day" in further else days
        return ["generate", "-c", str(config), *asked, *further]

    return arguments


@pytest.fixture
def run(arguments: Arguments, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `retail-datagen generate` in this process: exit code, output and errors."""

    def run(*further: str, last: int = DAYS) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as left:
            main(arguments(*further, last=last))
        return left.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def start(arguments: Arguments, tmp_path: Path) -> Start:
    """Start it in a process of its own, to be killed."""

    def start(*further: str, last: int = DAYS) -> subprocess.Popen[str]:
        code = "from retail_datagen.cli.app import main; main()"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        return subprocess.Popen(
            [sys.executable, "-c", code, *arguments(*further, last=last)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=tmp_path,
            start_new_session=True,
        )

    return start
