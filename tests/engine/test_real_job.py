"""The job on the real retailer: the same bytes whatever happens, through the command line."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from datetime import date
from pathlib import Path

import pytest
from real_retailer import DAYS, Run, Start, digests, partitions

from retail_datagen.cli.app import main
from retail_datagen.config.models import RetailConfig
from retail_datagen.core.calendar import to_day
from retail_datagen.engine.job import JobRequest, run_job
from retail_datagen.engine.retail import RetailSource
from retail_datagen.tables import registry
from stopping import ends_in_time

FIRST = to_day(date(2024, 1, 1))


def generate(config: Path, root: Path, first: int = 0, last: int = DAYS - 1, **other: int) -> None:
    source = RetailSource(RetailConfig.from_file(config))
    run_job(JobRequest(source, str(root), root, FIRST + first, FIRST + last, **other))


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, str]:
    """Filled by the first test that needs it: configurations are made for each test."""
    return {}


@pytest.fixture
def expected(config: Path, tmp_path: Path, undisturbed: dict[str, str]) -> dict[str, str]:
    if not undisturbed:
        generate(config, tmp_path / "undisturbed", workers=1)
        undisturbed |= digests(tmp_path / "undisturbed")
    return undisturbed


def test_every_table_of_every_day_is_there(expected: dict[str, str]) -> None:
    assert len(expected) == DAYS * len(registry())
    assert "receipts/dt=2024-01-05/receipts_20240105.csv" in expected


@pytest.mark.parametrize(("workers", "chunk"), [(2, 1), (2, 7), (1, 30)])
def test_workers_and_chunks_change_no_byte(
    config: Path, tmp_path: Path, expected: dict[str, str], workers: int, chunk: int
) -> None:
    generate(config, tmp_path / "out", workers=workers, chunk_days=chunk)
    assert digests(tmp_path / "out") == expected


def test_days_in_any_order_and_ranges_one_after_the_other(
    config: Path, tmp_path: Path, expected: dict[str, str]
) -> None:
    out = tmp_path / "out"
    generate(config, out, 0, 2, workers=1)
    for day in (9, 4, 11, 3):
        generate(config, out, day, day, workers=1)
    assert digests(out).items() <= expected.items()
    generate(config, out, 3, DAYS - 1, workers=2)
    assert digests(out) == expected


def kill_and_go_on(start: Start, facts: Path, dice: random.Random) -> int:
    """Kill the job -9 at random moments until it once gets through; how often it was killed."""
    kills = 0
    while True:
        process = start("--workers", dice.choice("12"), "--quiet")
        enough = len(partitions(facts)) + dice.randint(1, 60) if kills < 8 else None
        while enough and process.poll() is None and len(partitions(facts)) < enough:
            time.sleep(0.003)
        try:
            process.wait(timeout=dice.uniform(0, 0.05) if enough else None)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            kills += 1
            continue
        assert process.returncode == 0, process.communicate()
        process.communicate()
        return kills


def test_a_killed_job_goes_on(start: Start, tmp_path: Path, expected: dict[str, str]) -> None:
    assert kill_and_go_on(start, tmp_path / "facts", random.Random(3)) >= 1
    assert digests(tmp_path / "facts") == expected


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_ten_killed_jobs_go_on(
    start: Start, tmp_path: Path, expected: dict[str, str], seed: int
) -> None:
    kill_and_go_on(start, tmp_path / "facts", random.Random(seed))
    assert digests(tmp_path / "facts") == expected


@pytest.mark.timed
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopping_keeps_what_is_whole_and_says_how_to_go_on(
    start: Start,
    run: Run,
    tmp_path: Path,
    expected: dict[str, str],
    signum: signal.Signals,
    code: int,
) -> None:
    facts = tmp_path / "facts"
    process = start("--workers", "2", last=31)
    while process.poll() is None and not partitions(facts):
        time.sleep(0.02)
    process.send_signal(signum)
    _, err = ends_in_time(process)
    assert process.returncode == code
    total = 31 * len(registry())
    assert f"of {total} partitions are whole and kept; run the same command again to go on" in err
    assert not list(facts.rglob(".*.tmp"))
    shared = digests(facts).items() & expected.items()
    assert shared
    assert run()[0] == 0
    assert expected.items() <= digests(facts).items()


def test_the_summary_as_json(run: Run, expected: dict[str, str], tmp_path: Path) -> None:
    code, out, err = run("--json", "--tables", "receipts,receipt_lines", last=2)
    summary = json.loads(out)
    assert (code, err) == (0, "")
    assert (summary["first_day"], summary["last_day"]) == ("2024-01-01", "2024-01-02")
    assert list(summary["rows"]) == ["receipt_lines", "receipts"]
    assert summary["partitions_written"] == 4
    lines = sum(len(p.read_text().splitlines()) - 1 for p in (tmp_path / "facts").rglob("*.csv"))
    assert summary["total_records"] == lines
    _, out, err = run("--tables", "receipts", last=2)
    assert "2 kept" in out, err
    assert run("--quiet", last=2)[1:] == ("", "")


def test_one_day_of_one_table(run: Run, expected: dict[str, str], tmp_path: Path) -> None:
    day = ("--only-day", "2024-01-09", "--tables", "receipts")
    assert run(*day, "--start", "2024-01-01")[0] == 0
    name = "receipts/dt=2024-01-09/receipts_20240109.csv"
    assert digests(tmp_path / "facts") == {name: expected[name]}
    code, _, err = run(*day, "--start", "2023-12-01")
    assert code == 2
    assert "start: 2023-12-01 is outside of the calendar" in err


def test_rows_go_to_the_standard_output(run: Run, tmp_path: Path) -> None:
    code, out, err = run("--to", "jsonl:-", "--tables", "receipts", last=2)
    assert code == 0
    rows = [json.loads(line) for line in out.splitlines()]
    assert {row["table"] for row in rows} == {"receipts"}
    assert rows[0]["EventTS"].startswith("2024-01-01 ")
    assert f"{len(rows):,} records in jsonl:-" in err
    assert not (tmp_path / "facts").exists()


def test_a_reader_that_leaves_is_no_drama(start: Start) -> None:
    process = start("--to", "jsonl:-", last=5)
    assert process.stdout
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr
    err = process.stderr.read()
    assert process.wait() == 2
    assert err == "error: whoever read the output has closed it\n"


def test_a_dry_run_says_what_is_to_come(run: Run, tmp_path: Path) -> None:
    code, out, err = run("--dry-run", "--json")
    estimate = json.loads(out)
    assert (code, err) == (0, "")
    assert not (tmp_path / "facts").exists()
    _, out, _ = run("--json")
    summary = json.loads(out)
    assert estimate["total"]["rows"] == pytest.approx(summary["total_records"], rel=0.15)
    assert estimate["total"]["bytes"] == pytest.approx(summary["bytes"], rel=0.15)
    assert estimate["partitions"] == summary["partitions_written"]


def test_a_dry_run_leaves_an_absent_world_absent(run: Run, config: Path) -> None:
    content = json.loads(config.read_text())
    content["paths"]["master"] = str(config.parent / "absent")
    config.write_text(json.dumps(content))
    code, out, _ = run("--dry-run", last=2)
    assert code == 0
    assert "nothing was written" in out
    assert not (config.parent / "absent").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--start", "2024-01-01"), "--end missing: give the first and the last day"),
        ((), "--start and --end missing"),
        (
            ("--start", "2024-02-30", "--end", "2024-03-01"),
            "start: '2024-02-30' is not a day; write it as YYYY-MM-DD, such as 2024-01-30",
        ),
        (
            ("--start", "2024-01-05", "--end", "2024-01-01"),
            "end: 2024-01-01 is before the start, 2024-01-05; both are included",
        ),
        (
            ("--start", "2024-01-01", "--end", "2025-01-01"),
            "end: 2025-01-01 is outside of the calendar; allowed is 2024-01-01 to 2024-12-31",
        ),
        (
            ("--start", "2024-01-01", "--end", "2024-01-01", "--tables", "recipts"),
            "tables: 'recipts' is not known; allowed are ",
        ),
        (
            ("--start", "2024-01-01", "--end", "2024-01-01", "--tables", "receipts,,"),
            "tables: 'receipts,,' has an empty name",
        ),
        (
            ("--start", "2024-01-01", "--end", "2024-01-01", "--format", "xml"),
            "format: 'xml' is not known; allowed are csv and parquet",
        ),
        (
            ("--start", "2024-01-01", "--end", "2024-01-01", "--to", "kafkaa://host"),
            "no sink is called 'kafkaa' (in 'kafkaa://host'); allowed are file:",
        ),
        (
            ("--start", "2024-01-01", "--end", "2024-01-01", "--workers", "0"),
            "workers: 0 is not allowed; give 1 or more",
        ),
        (
            ("--start", "2024-01-01", "--end", "2024-01-01", "--chunk-days", "0"),
            "chunk-days: 0 is not allowed; give 1 or more",
        ),
        (
            ("--only-day", "2024-01-05", "--end", "2024-01-09"),
            "end: leave --end out beside --only-day, which is one day",
        ),
        (
            ("--only-day", "2024-01-05", "--start", "2024-01-09"),
            "start: the history cannot begin on 2024-01-09, after 2024-01-05",
        ),
    ],
)
def test_wrong_arguments_are_told(
    config: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["generate", "-c", str(config), *arguments])
    assert left.value.code == 2
    assert message in capsys.readouterr().err
    assert not (config.parent / "facts").exists()


def test_another_profile_is_told_before_what_does_not_fit_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert run(last=1)[0] == 0
    monkeypatch.setenv("RETAIL_PROFILE", "general")
    for further in ((), ("--dry-run",)):
        code, _, err = run(*further, last=2)
        assert code == 2
        assert err.startswith("error: profile was supercenter, now general: the history in ")
        assert "Go back to that profile, or choose other folders" in err
    assert len(partitions(tmp_path / "facts")) == len(registry())


@pytest.mark.parametrize("further", [(), ("--dry-run",), ("--overwrite",)])
def test_facts_do_not_go_where_master_data_is(
    run: Run, master: Path, further: tuple[str, ...]
) -> None:
    for target in (str(master), f"file:{master.parent}/./{master.name}?format=parquet"):
        code, _, err = run("--to", target, *further, last=1)
        assert code == 2
        assert err.startswith(f"error: to: {target} is the folder of the master data")


def test_another_seed_or_master_data_is_refused(run: Run, config: Path, tmp_path: Path) -> None:
    assert run(last=1)[0] == 0
    before = digests(tmp_path / "facts")
    content = json.loads(config.read_text())
    config.write_text(json.dumps({**content, "seed": 8}))
    code, _, err = run(last=1)
    assert code == 2
    assert "holds another history: seed was 7, now 8" in err
    assert digests(tmp_path / "facts") == before
    code, _, err = run("--overwrite", last=1)
    assert code == 0, err
    assert digests(tmp_path / "facts").keys() == before.keys()
    assert digests(tmp_path / "facts") != before
