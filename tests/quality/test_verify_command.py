"""`retail-datagen verify` on the command line, and the published script."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from copies import Copy
from typer.testing import CliRunner

from retail_datagen.cli.verify_command import register
from retail_datagen.quality.catalog import checks

ROOT = Path(__file__).parents[2]
RUNNER = CliRunner()


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    made = typer.Typer()
    made.callback()(lambda: None)
    register(made)
    return made


def test_a_clean_history(app: typer.Typer, csv_history: Path) -> None:
    done = RUNNER.invoke(app, ["verify", str(csv_history)])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["check", "meaning", "checked", "violations", "status"]
    line = next(line for line in lines if line.startswith("receipts.subtotal"))
    assert line.endswith("ok".ljust(len(line) - line.rindex("ok")))
    assert "Subtotal is the sum of the lines' ExtPrice" in line
    assert lines[-1].endswith(f"{len(checks())} checks passed, no violation")


def test_a_violation_is_shown(app: typer.Typer, copy: Copy) -> None:
    copy.forget_journal()
    row = copy.set("ble_pings", RSSI=5)
    for day in range(1, 8):
        copy.day = day
        copy.set("ble_pings", RSSI=5)
    done = RUNNER.invoke(app, ["verify", str(copy.root), "--first", "3"])
    assert done.exit_code == 1
    head, _, rows = done.stdout.partition("\nble_pings.signal: RSSI lies between -95 and -40 dBm")
    assert "ble_pings.signal" in head
    assert "needs _job/partitions.jsonl" in head
    assert "8 violations, the first 3:" in rows
    assert rows.count("BEACON_") == 3
    assert row["TraceId"] in rows
    assert done.stdout.splitlines()[-1].endswith(
        f"1 of {len(checks()) - 1} checks failed, 1 skipped, 8 violations"
    )
    quiet = RUNNER.invoke(app, ["verify", str(copy.root), "--quiet", "--first", "0"])
    assert quiet.exit_code == 1
    assert [line for line in quiet.stdout.splitlines() if line] == [
        "ble_pings.signal: RSSI lies between -95 and -40 dBm",
        done.stdout.splitlines()[-1],
    ]


def test_what_skipped_checks_need_is_said(app: typer.Typer, copy: Copy) -> None:
    for table in copy.facts.iterdir():
        if table.name not in ("receipts", "receipt_lines"):
            shutil.rmtree(table)
    shutil.rmtree(copy.root / "master")
    done = RUNNER.invoke(app, ["verify", str(copy.root)])
    assert done.exit_code == 0, done.output
    said = " ".join(done.stdout.split("Skipped checks need what is not on file: ")[1].split())
    assert said.startswith("master data (--master) (")
    assert "truck_moves (" in said
    assert "_job/partitions.jsonl (1)" in said
    told = json.loads(RUNNER.invoke(app, ["verify", str(copy.root), "--json"]).stdout)
    by_name = {check["name"]: check for check in told["checks"]}
    assert by_name["receipts.StoreID"]["needs"] == ["master data (--master)"]
    assert by_name["receipts.subtotal"]["status"] == "ok"


def test_json(app: typer.Typer, copy: Copy) -> None:
    copy.forget_journal()
    copy.set("ble_pings", RSSI=5)
    done = RUNNER.invoke(app, ["verify", str(copy.root), "--json"])
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert (told["passed"], told["violations"]) == (False, 1)
    by_name = {check["name"]: check for check in told["checks"]}
    assert by_name["ble_pings.signal"]["first"][0]["RSSI"] == 5
    assert by_name["files.journal"]["status"] == "skipped"
    assert by_name["files.journal"]["note"] == "needs _job/partitions.jsonl"
    assert by_name["receipts.key"]["checked"] == len(copy.rows("receipts"))


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_no_such_folder_is_the_users_error(tmp_path: Path) -> None:
    main = "from retail_datagen.cli.app import main; main()"
    done = run("-c", main, "verify", "nothing", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: nothing is not a folder;")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [("verify", "--help"), ("verify", "data", "--quiet")])
def test_nothing_is_said_of_what_is_left_at_exit(
    csv_history: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "data").symlink_to(csv_history)
    main = "from retail_datagen.cli.app import main; main()"
    done = run("-c", main, *arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_published_script_makes_a_history_where_there_is_none(tmp_path: Path) -> None:
    done = run(str(ROOT / "verify_fact_generation.py"), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].endswith("checks passed, no violation")
    assert list(tmp_path.iterdir()) == []


def test_the_published_script_checks_what_there_is(copy: Copy, tmp_path: Path) -> None:
    copy.forget_journal()
    copy.set("ble_pings", RSSI=5)
    copy.root.rename(tmp_path / "data")
    done = run(str(ROOT / "verify_fact_generation.py"), cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "1 violation" in done.stdout
