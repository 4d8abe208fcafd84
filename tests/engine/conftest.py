"""A small real retailer, and the command line in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from real_retailer import DAYS, Arguments, Run, Start

from retail_datagen.cli.app import main


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
