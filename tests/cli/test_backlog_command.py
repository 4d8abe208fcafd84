"""`retail-datagen backlog` and `lake repair`, as people run them."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from shop_commands import FACTS, FEW_ORDERS, digests, run, shop_in

from retail_datagen.cli import backlog_command
from retail_datagen.lake.backlog import Backlog, lake_request
from retail_datagen.lake.publish import Retries
from retail_datagen.lake.request import LakeRequest

DAYS = ("--config", "shop.yaml", "--end", "2020-01-05", "--chunk-size", "2")
HOOK = """
import os

def told(table, partition, manifest_path, manifest):
    if os.environ.get("FAIL") and (table, partition) == ("orders", "ingest_dt=2020-01-03"):
        raise ValueError("no room on the shelf")
    with open("told.txt", "a") as file:
        print(table, partition, manifest["total_rows"], manifest_path, file=file)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory in which five days were made undisturbed."""
    place = shop_in(tmp_path_factory.mktemp("made"))
    run("retail-datagen", "backlog", *DAYS, "--truth", "--keep-csv", cwd=place)
    return place


def without_truth(lake: Path) -> dict[str, str]:
    return {path: sha for path, sha in digests(lake).items() if "_truth/" not in path}


def test_the_defaults_are_74_chunks_the_last_of_10_days(tmp_path: Path) -> None:
    said = run("retail-datagen", "backlog", "--dry-run", cwd=tmp_path).stdout
    assert "74 chunks of 30 days, the last of 10 (2025-12-30 to 2026-01-08)" in said
    assert "13,200 partitions" in said
    assert list(tmp_path.iterdir()) == []


def test_the_plan_is_told_as_json(tmp_path: Path) -> None:
    place = shop_in(tmp_path)
    command = ("retail-datagen", "backlog", "--config", "shop.yaml", "--dry-run", "--json")
    plan = json.loads(run(*command, cwd=place).stdout)
    assert len(plan["chunks"]) == 74
    assert plan["chunks"][0] == ["2020-01-01", "2020-01-30"]
    assert plan["url"] == "output/raw"
    assert [path.name for path in place.iterdir()] == ["shop.yaml"]


def test_what_is_made_is_whole(made: Path) -> None:
    run("retail-datagen", "lake", "verify", "output/raw", cwd=made)
    lake = made / "output" / "raw"
    categories = ["Books", "Clothing", "Electronics", "Home", "Toys"]
    assert sorted(p.name for p in (lake / "product_catalog").iterdir()) == [
        f"category={name}" for name in categories
    ]
    guests = lake / "customers" / "signup_date=__HIVE_DEFAULT_PARTITION__" / "part-0000.parquet"
    assert pq.ParquetFile(guests).read(["is_guest"])["is_guest"].unique().to_pylist() == [True]
    assert (made / "artifacts" / ".backlog_checkpoint").read_text() == "2020-01-05\n"


def test_a_job_goes_on_and_ends_with_the_same_bytes(made: Path, tmp_path: Path) -> None:
    place = shop_in(tmp_path)
    first = ("--config", "shop.yaml", "--end", "2020-01-03")
    run("retail-datagen", "backlog", *first, cwd=place)
    checkpoint = place / "artifacts" / ".backlog_checkpoint"
    checkpoint.write_text("2020-01-02\n")
    (place / "artifacts" / ".id_state.json").unlink()
    shutil.rmtree(place / "output" / "raw" / "orders" / "ingest_dt=2020-01-02")
    went_on = run("retail-datagen", "backlog", *DAYS, cwd=place)
    assert f"{Path('artifacts', '.backlog_checkpoint')} said 2020-01-02" in went_on.stderr
    assert checkpoint.read_text() == "2020-01-05\n"
    assert without_truth(place / "output" / "raw") == without_truth(made / "output" / "raw")
    states = [json.loads((p / "artifacts" / ".id_state.json").read_text()) for p in (place, made)]
    assert {k: v for k, v in states[0].items() if k != "last_updated"} == {
        k: v for k, v in states[1].items() if k != "last_updated"
    }
    again = run("retail-datagen", "backlog", *DAYS, cwd=place).stdout
    assert " 0 partitions published" in again


def test_everything_has_the_environments_name(made: Path, tmp_path: Path) -> None:
    place = shop_in(tmp_path)
    (place / "my_hooks.py").write_text(HOOK)
    run(
        "retail-datagen",
        "backlog",
        "--quiet",
        cwd=place,
        CONFIG_PATH="shop.yaml",
        START_DATE="2020-01-01",
        END_DATE="2020-01-03",
        CHUNK_SIZE=1,
        BUCKET=(place / "bucket").as_uri(),
        PREFIX="some/where",
        MESSINESS_LEVEL="heavy_mess",
        ARTIFACT_ROOT="own",
        TARGET_ROOT="waiting",
        ID_STATE_FILE="ids.json",
        CHECKPOINT_FILE="day.txt",
        POST_EXPORT_HOOK="my_hooks:told",
    )
    lake = place / "bucket" / "some" / "where"
    assert (place / "day.txt").read_text() == "2020-01-03\n"
    state = json.loads((place / "ids.json").read_text())
    orders = sum(pq.read_metadata(p).num_rows for p in (lake / "orders").rglob("*.parquet"))
    assert state["last_order_id"] == orders > 0
    assert list((place / "waiting").rglob("*.parquet")) == []
    assert (place / "own" / "static_lookups" / "master" / "customers.csv").exists()
    assert not (place / "artifacts").exists()
    assert not (place / "output").exists()
    catalog = json.loads((lake / "_CATALOG.json").read_text())
    assert catalog["options"]["messiness_level"] == "heavy_mess"
    told = (place / "told.txt").read_text().splitlines()
    assert len(told) == len(set(told)) == catalog["total_partitions"]
    assert {line.split()[0] for line in told} >= {"customers", "product_catalog", *FACTS}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--messiness-level", "some"), "messiness-level: 'some' is not known; allowed are none"),
        (("--start", "2020-13-01"), "start: '2020-13-01' is not a day"),
        (("--chunk-size", "0"), "chunk-size: 0 is not allowed"),
        (("--tables", "order"), "tables: 'order' is not known"),
        (("--mess", "typos"), "mess: 'typos' is not NAME=SHARE"),
    ],
)
def test_what_is_wrong_is_told(wrong: tuple[str, ...], said: str, tmp_path: Path) -> None:
    place = shop_in(tmp_path)
    failed = run("retail-datagen", "backlog", *DAYS, *wrong, cwd=place, code=2)
    assert f"error: {said}" in failed.stderr
    assert not (place / "output").exists()


def test_the_smoke_test_leaves_nothing_behind(tmp_path: Path) -> None:
    place = shop_in(tmp_path, FEW_ORDERS)
    bucket = place / "bucket"
    said = run(
        *("retail-datagen", "backlog", "--smoke", "--config", "shop.yaml"),
        cwd=place,
        BUCKET=bucket.as_uri(),
        TMPDIR=place,
    ).stdout
    assert "2 chunks" in said
    assert "smoke test passed: made, published, verified and cleaned up" in said
    assert [p for p in bucket.rglob("*") if p.is_file()] == []
    assert {p.name for p in place.iterdir()} <= {"shop.yaml", "bucket"}


def test_lookups_are_made_once_and_used(tmp_path: Path) -> None:
    place = shop_in(tmp_path)
    run("retail-datagen", "backlog", "lookups", "--config", "shop.yaml", cwd=place)
    folder = place / "artifacts" / "static_lookups"
    with (folder / "customers.csv").open() as file:
        assert len(list(csv.reader(file))) == 801
    master = folder / "master" / "customers.csv"
    before = master.stat().st_mtime_ns
    run("retail-datagen", "backlog", *DAYS, "--messiness-level", "none", cwd=place)
    assert master.stat().st_mtime_ns == before
    with (folder / "product_catalog.csv").open() as file:
        known = {row["product_id"]: row["product_name"] for row in csv.DictReader(file)}
    for path in (place / "output" / "raw" / "product_catalog").rglob("*.parquet"):
        rows = pq.ParquetFile(path).read(["product_id", "product_name"]).to_pylist()
        assert all(known[str(row["product_id"])] == row["product_name"] for row in rows)


def test_a_lake_is_never_where_anothers_partitions_wait(made: Path, tmp_path: Path) -> None:
    place = shutil.copytree(made, tmp_path / "copy")
    before = digests(place / "output" / "raw")
    command = ("retail-datagen", "backlog", *DAYS, "--seed", "7", "--artifact-root", "other")
    refused = run(*command, "--to", "elsewhere", cwd=place, code=2)
    assert "target-root: output/raw is a lake itself" in refused.stderr
    assert digests(place / "output" / "raw") == before
    run(*command, "--to", "elsewhere", "--target-root", "waiting", cwd=place)
    assert digests(place / "output" / "raw") == before
    assert digests(place / "elsewhere")


def test_chunks_are_kept_as_csv(made: Path) -> None:
    spans = ["2020-01-01_2020-01-02", "2020-01-03_2020-01-04", "2020-01-05_2020-01-05"]
    runs = sorted((made / "artifacts").glob("raw_run_*"))
    assert [run.name for run in runs] == [f"raw_run_{span}" for span in spans]
    for name in FACTS:
        files = sorted((made / "output" / "raw" / name).rglob("*.parquet"))
        key = pq.read_schema(files[0]).names[0]
        stored = [k for f in files for k in pq.ParquetFile(f).read([key])[key].to_pylist()]
        kept: list[str] = []
        for one in runs:
            with (one / f"{name}.csv").open() as file:
                kept += [row[key] for row in csv.DictReader(file)]
        assert kept == [str(value) for value in stored]


def test_the_truth_says_what_was_done(made: Path) -> None:
    lake, told = made / "output" / "raw", 0
    for name in ("orders", "shopping_carts", "order_items"):
        for path in (lake / f"{name}_truth").rglob("*.parquet"):
            data = pq.ParquetFile(lake / name / path.parent.name / path.name).read()
            for row in pq.ParquetFile(path).read().to_pylist():
                if row["kind"] in ("CASING", "WHITESPACE"):
                    told += 1
                    found = data[row["column_name"]][row["row"]].as_py()
                    assert found == row["messy_value"] != row["clean_value"]
    assert told > 50


def test_a_hook_that_fails_stops_the_job_which_goes_on_later(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_pauses(wanted: Backlog) -> LakeRequest:
        return replace(lake_request(wanted), retries=Retries(seconds=0.01))

    monkeypatch.setattr(backlog_command, "lake_request", without_pauses)
    place = shop_in(tmp_path)
    (place / "my_hooks.py").write_text(HOOK)
    command = ("retail-datagen", "backlog", *DAYS, "--post-export-hook", "my_hooks:told")
    failed = run(*command, cwd=place, code=2, FAIL=1)
    assert "error: " in failed.stderr
    assert "my_hooks:told" in failed.stderr
    assert "after 3 attempts" in failed.stderr
    assert "orders/ingest_dt=2020-01-03: ValueError: no room on the shelf" in failed.stderr
    assert (place / "artifacts" / ".backlog_checkpoint").read_text() == "2020-01-02\n"
    run(*command, cwd=place)
    assert without_truth(place / "output" / "raw") == without_truth(made / "output" / "raw")
    told = [line.split()[:2] for line in (place / "told.txt").read_text().splitlines()]
    assert ["orders", "ingest_dt=2020-01-03"] in told
    assert len(told) == len({tuple(line) for line in told})


def test_what_is_lost_or_damaged_comes_back_with_the_same_bytes(made: Path, tmp_path: Path) -> None:
    place = shutil.copytree(made, tmp_path / "copy")
    lake = place / "output" / "raw"
    before = digests(lake)
    (lake / "orders" / "ingest_dt=2020-01-03" / "part-0000.parquet").unlink()
    damaged = lake / "cart_items" / "ingest_dt=2020-01-04" / "part-0000.parquet"
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    shutil.rmtree(lake / "product_catalog" / "category=Books")
    run("retail-datagen", "lake", "verify", "--quiet", "output/raw", cwd=place, code=1)
    trial = run("retail-datagen", "lake", "repair", "--dry-run", "output/raw", cwd=place).stdout
    assert "3 partitions to be made again" in trial
    assert digests(lake) != before
    said = run("retail-datagen", "lake", "repair", "output/raw", cwd=place).stdout
    assert said.splitlines()[:-1] == [
        "cart_items/ingest_dt=2020-01-04",
        "orders/ingest_dt=2020-01-03",
        "product_catalog/category=Books",
    ]
    assert digests(lake) == before
    run("retail-datagen", "lake", "verify", "--quiet", "output/raw", cwd=place)
    shutil.copytree(
        lake / "orders" / "ingest_dt=2020-01-03", lake / "orders" / "ingest_dt=2021-01-03"
    )
    left = run("retail-datagen", "lake", "repair", "output/raw", cwd=place, code=1)
    assert "0 partitions made again" in left.stdout
    assert "orders/ingest_dt=2021-01-03 is left as it is: the lake's _CATALOG.json" in left.stderr
