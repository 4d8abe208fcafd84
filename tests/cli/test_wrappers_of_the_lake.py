"""The scripts and the steps of `ecomlake`, which others' scripts call by these names."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from shop_commands import FACTS, FEW_ORDERS, ROOT, digests, run, shop_in

from retail_datagen.config.generator_file import Given, read_generator_file
from retail_datagen.partitions.manifest import Manifest

SCRIPTS = ROOT / "scripts"
CONFIG = ROOT / "gen_config" / "ecom_sales_gen_quick.yaml"
HOOK = """
def told(table, partition, manifest_path, manifest):
    with open("told.txt", "a") as file:
        print(table, partition, file=file)
"""
Steps = tuple[Path, list[Path]]


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Steps:
    """A working directory with two runs, three days and then two, and the runs' folders."""
    place, runs = shop_in(tmp_path_factory.mktemp("steps")), []
    for first, last in (("2020-01-01", "2020-01-03"), ("2020-01-04", "2020-01-05")):
        lookups = ("--load-lookups-from", "artifacts/static_lookups") if runs else ()
        said = run(
            *("ecomlake", "run-generator", "--config", "shop.yaml", *lookups),
            *("--start-date", first, "--end-date", last, "--id-state-file", "ids.json"),
            *("--generator-src", "ignored"),
            cwd=place,
        )
        runs.append(place / said.stdout.splitlines()[-1])
    return place, runs


@pytest.fixture(scope="module")
def exported(steps: Steps) -> Path:
    place, runs = steps
    for folder in runs:
        run("ecomlake", "export-raw", "--source", folder, "--batch-id", "b1", cwd=place)
    return place / "output" / "raw"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake that the wrapper fills in one go."""
    place = shop_in(tmp_path_factory.mktemp("filled"))
    run(SCRIPTS / "backlog_bear.sh", "--end", "2020-01-05", cwd=place, **small())
    return place / "output" / "raw"


def small() -> dict[str, object]:
    return {"CONFIG_PATH": "shop.yaml", "CHUNK_SIZE": 3}


def rows(lake: Path, table: str) -> pa.Table:
    files = sorted((lake / table).rglob("*.parquet"))
    return pa.concat_tables(pq.ParquetFile(file).read() for file in files)


def test_the_backlog_script_fills_a_lake(filled: Path) -> None:
    run("retail-datagen", "lake", "verify", "--quiet", filled, cwd=filled)
    assert len(list((filled / "orders").glob("ingest_dt=*/_SUCCESS"))) == 5
    assert (filled.parents[1] / "artifacts" / ".backlog_checkpoint").read_text() == "2020-01-05\n"


def test_scripts_pass_options_on(tmp_path: Path) -> None:
    place = shop_in(tmp_path)
    script = SCRIPTS / "backlog_bear.sh"
    said = run(script, "--dry-run", cwd=place, CONFIG_PATH="shop.yaml", CHUNK_SIZE=7).stdout
    assert "315 chunks of 7 days" in said
    assert [path.name for path in place.iterdir()] == ["shop.yaml"]


def test_scripts_know_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    script = shutil.copy2(SCRIPTS / "backlog_bear.sh", tmp_path / "scripts")
    own = tmp_path / "gen_config" / CONFIG.name
    own.parent.mkdir()
    own.write_text("nonsense: 1\n")
    failed = run(script, "--dry-run", cwd=tmp_path, code=2)
    assert f"{own}: nonsense is not known" in failed.stderr.replace("scripts/../", "")
    settings = [read_generator_file(path, tmp_path, Given()) for path in (CONFIG, None)]
    assert settings[0].volume == settings[1].volume


def test_the_lookups_script_makes_customers_and_products(tmp_path: Path) -> None:
    place = shop_in(tmp_path)
    script = SCRIPTS / "generate_static_lookups.sh"
    run(script, cwd=place, **small(), ARTIFACT_ROOT="own")
    lines = (place / "own" / "static_lookups" / "customers.csv").read_text().splitlines()
    assert len(lines) == 801


def test_the_smoke_script_cleans_up(tmp_path: Path) -> None:
    place = shop_in(tmp_path, FEW_ORDERS)
    few_days = {**small(), "END_DATE": "2020-01-05"}
    assert "smoke test passed" in run(SCRIPTS / "smoke_test.sh", cwd=place, **few_days).stdout
    assert [path.name for path in place.iterdir()] == ["shop.yaml"]


def test_a_script_says_what_it_lacks(tmp_path: Path) -> None:
    script = shutil.copy2(SCRIPTS / "backlog_bear.sh", tmp_path)
    bare = tmp_path / "bin"
    bare.mkdir()
    for tool in ("bash", "dirname"):
        (bare / tool).symlink_to(shutil.which(tool) or "")
    failed = run(bare / "bash", "-c", f"PATH={bare} exec bash {script}", cwd=tmp_path, code=127)
    assert "error: retail-datagen is neither on PATH nor in" in failed.stderr


def test_runs_go_on_with_the_identifiers(steps: Steps) -> None:
    place, runs = steps
    for name, prefix in (("orders", 11), ("shopping_carts", 4)):
        lines = [line for one in runs for line in (one / f"{name}.csv").read_text().split("\n")[1:]]
        found = [int(line.split(",")[0].strip('"')[prefix:]) for line in lines if line]
        assert found == list(range(1, len(found) + 1))
        state = json.loads((place / "ids.json").read_text())
        assert state[f"last_{'order' if name == 'orders' else 'cart'}_id"] == len(found)
    has_customers = [(one / "customers.csv").exists() for one in runs]
    assert has_customers == [True, False]
    assert list((place / "artifacts" / "raw_history").rglob("*.csv")) == []


def test_steps_give_the_rows_of_the_backlog(exported: Path, filled: Path) -> None:
    for name in (*FACTS, "customers", "product_catalog"):
        ours, whole = rows(exported, name), rows(filled, name)
        assert ours.schema.equals(whole.schema), name
        assert ours.to_pylist() == whole.to_pylist(), name
        folders = [sorted(p.name for p in (lake / name).iterdir()) for lake in (exported, filled)]
        assert folders[0] == folders[1]


def test_an_export_has_manifests_as_a_lake_has_them(exported: Path, filled: Path) -> None:
    manifests = sorted(exported.rglob("_MANIFEST.json"))
    assert len(manifests) == len(list(exported.rglob("_SUCCESS"))) > 30
    for path in manifests:
        ours = Manifest.from_json(path.read_bytes())
        other = Manifest.from_json((filled / path.relative_to(exported)).read_bytes())
        assert ours.stamp.batch_id == "b1"
        assert ours.stamp.config_hash == other.stamp.config_hash
        assert (ours.total_rows, ours.min_event_time) == (other.total_rows, other.min_event_time)
    assert {name.rsplit("/", 1)[0] for name in digests(exported)} == {
        path.parent.relative_to(exported).as_posix() for path in manifests
    }


def test_an_export_takes_days_tables_hooks_and_lookups(steps: Steps, tmp_path: Path) -> None:
    place, (run_of_3, run_of_2) = steps
    (tmp_path / "my_hooks.py").write_text(HOOK)
    run("retail-datagen", "backlog", "lookups", "-c", place / "shop.yaml", cwd=tmp_path)
    command = ("ecomlake", "export-raw", "--source")
    two = ("--table", "orders", "--table", "order_items", "--post-export-hook", "my_hooks:told")
    run(*command, run_of_3, "--target", "a", *two, "--ingest-date", "2020-01-02", cwd=tmp_path)
    told = ["order_items ingest_dt=2020-01-02", "orders ingest_dt=2020-01-02"]
    assert sorted((tmp_path / "told.txt").read_text().splitlines()) == told
    since = ("--start-date", "2020-01-02", "--days", "2", "--table", "orders")
    run(*command, run_of_3, "--target", "b", *since, cwd=tmp_path)
    days = [p.name for p in sorted((tmp_path / "b" / "orders").iterdir())]
    assert days == ["ingest_dt=2020-01-02", "ingest_dt=2020-01-03"]
    lookups = ("--lookups-from", tmp_path / "artifacts" / "static_lookups")
    single = ("--dates", "2020-01-04,2020-01-05")
    run(*command, run_of_2, "--target", "c", *lookups, *single, cwd=tmp_path)
    assert rows(tmp_path / "c", "customers").num_rows == 800
    assert len(list((tmp_path / "c" / "product_catalog").iterdir())) == 5


def test_kept_chunks_of_a_backlog_are_runs_too(filled: Path, tmp_path: Path) -> None:
    place = shop_in(tmp_path)
    backlog = ("retail-datagen", "backlog", "-c", "shop.yaml", "--end", "2020-01-03", "--keep-csv")
    run(*backlog, cwd=place)
    source = "artifacts/raw_run_2020-01-01_2020-01-03"
    run("ecomlake", "export-raw", "--source", source, "--target", "parts", cwd=place)
    for name in FACTS:
        ours, whole = rows(place / "parts", name), rows(place / "output" / "raw", name)
        assert ours.to_pylist() == whole.to_pylist(), name


def test_an_upload_sends_a_day_and_then_what_is_missing(exported: Path, tmp_path: Path) -> None:
    bucket = tmp_path / "bucket"
    where = ("--bucket", bucket.as_uri(), "--prefix", "ecom/raw", "--source", exported)
    upload = ("ecomlake", "upload-raw", *where)
    day = ("--ingest-date", "2020-01-03")
    trial = run(*upload, *day, "--dry-run", cwd=tmp_path).stdout
    assert "6 partitions to upload" in trial
    assert not bucket.exists()
    assert "6 partitions uploaded" in run(*upload, *day, cwd=tmp_path).stdout
    assert {name.split("/")[1] for name in digests(bucket / "ecom" / "raw")} == {
        "ingest_dt=2020-01-03"
    }
    run(*upload, *day, "--table", "orders", cwd=tmp_path)
    assert "6 there already" in run(*upload, cwd=tmp_path).stdout
    assert digests(bucket / "ecom" / "raw") == digests(exported)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export-raw", "--source", "none"), "error: none has no table's CSV"),
        (
            ("export-raw", "--source", "RUN", "--ingest-date", "2020-02-01", "--target", "x"),
            "2020-02-01 is not in the run, which has 2020-01-01 to 2020-01-03",
        ),
        (("export-raw", "--source", "RUN", "--table", "order"), "error: table: 'order' is not"),
        (("export-raw", "--source", "RUN", "--days", "2"), "error: days: they count from"),
        (
            ("upload-raw", "--source", "output/raw", "--bucket", "BUCKET", "--table", "visits"),
            "has no partition of visits",
        ),
        (
            ("run-generator", "--config", "shop.yaml", "--start-date", "2019-12-01"),
            "error: start: the history in artifacts/raw_history begins on 2020-01-01",
        ),
        (
            ("run-generator", "--config", "shop.yaml", "--messiness-level", "none"),
            "mess.level was medium_mess, now absent",
        ),
        (("run-generator", "--config", "none.yaml"), "error: "),
        (("upload-raw",), "Usage: ecomlake upload-raw"),
    ],
)
def test_what_is_wrong_is_told(
    arguments: tuple[str, ...], said: str, steps: Steps, exported: Path, tmp_path: Path
) -> None:
    place, runs = steps
    swapped = {"RUN": str(runs[0]), "BUCKET": (tmp_path / "bucket").as_uri()}
    given = [swapped.get(word, word) for word in arguments]
    assert said in run("ecomlake", *given, cwd=place, code=2).stderr


def test_lines_without_their_order_are_told(steps: Steps, tmp_path: Path) -> None:
    source = shutil.copytree(steps[1][0], tmp_path / "run")
    orders = (source / "orders.csv").read_text().splitlines(keepends=True)
    (source / "orders.csv").write_text("".join(orders[:1] + orders[2:]))
    failed = run("ecomlake", "export-raw", "--source", source, cwd=tmp_path, code=2)
    assert "rows have a order_id that is not in orders.csv" in failed.stderr


def test_partitions_are_not_put_into_a_backlogs_lake(steps: Steps, filled: Path) -> None:
    place, runs = steps
    before = digests(filled)
    export = ("ecomlake", "export-raw", "--source", runs[0], "--target", filled)
    assert "holds a lake that" in run(*export, cwd=place, code=2).stderr
    assert digests(filled) == before
