"""Master data beside loaded events: those of the retailer that sent them, once, or none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from retail_datagen.cli.app import build_app
from retail_datagen.config.errors import UserError
from retail_datagen.config.models import RetailConfig
from retail_datagen.sinks.clickhouse_client import ClickHouse
from retail_datagen.sinks.kafka_settings import Settings
from retail_datagen.streaming.feed import loadable
from retail_datagen.streaming.master_data import MasterData
from retail_datagen.world.master import MASTER_TABLES, file_of
from services.kafka_broker import Address

Rows = list[tuple[object, ...]]
PREFIX = "master-"
DAYS = ("--start", "2024-01-30", "--end", "2024-02-01")
FEEDS = (("--events-per-hour", "20"), ("--all",))
SUMS = "sales, units, revenue, returned_units, refunds, net_revenue"
ASKED = [
    f"SELECT {columns}, {SUMS} FROM retail.{facts}{view} ORDER BY ALL"
    for facts in ("", "facts_")
    for view, columns in {
        "sales_by_store": "store_id, store, city, state",
        "product_performance": "product_id, product, category",
        "sales_by_category": "category",
    }.items()
]


def call(*arguments: str) -> str:
    result = CliRunner().invoke(build_app(arguments[0]), arguments)
    if isinstance(result.exception, UserError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def rows(folder: Path, *queries: str) -> list[Rows]:
    with closing(ClickHouse.of(f"chdb:{folder}")) as clickhouse:
        return [[tuple(row) for row in clickhouse.rows(query)] for query in queries]


def every_table() -> list[str]:
    return [f"SELECT * FROM retail.{table.name} ORDER BY ALL" for table in MASTER_TABLES]


def notes(folder: Path) -> tuple[object, ...]:
    """What is noted of master data, and how often something was."""
    return tuple(
        rows(
            folder,
            "SELECT max(sequence), groupUniqArray(feed) FROM retail._retail_progress "
            "WHERE startsWith(entry, 'table:')",
        )[0][0]
    )


@pytest.fixture(scope="module")
def servers(kafka: Address, config_file: Path) -> Iterator[str]:
    """A broker that has events of the hub and facts, with a prefix of this module's own."""
    url = f"kafka://{kafka.servers}"
    for feed in FEEDS:
        call("backfill", "-c", str(config_file), "--to", url, *DAYS, *feed, *prefix(), "--quiet")
    yield kafka.servers
    call("kafka", "drop", "--to", url, *prefix(), "--yes")


def prefix() -> tuple[str, str]:
    return "--topic-prefix", f"{PREFIX}{os.getpid()}-"


def load(servers: str, config: Path, folder: Path, *more: str) -> str:
    where = ("--from", f"kafka://{servers}", "--to", f"chdb:{folder}")
    return call("load", "-c", str(config), *where, *prefix(), *more)


def elsewhere(file: Path, folder: Path, **changed: object) -> Path:
    """The same configuration on another machine, or one that is a little different."""
    told = yaml.safe_load(file.read_text()) | changed
    told["paths"] = told["paths"] | {"master": str(folder / "m"), "facts": str(folder / "f")}
    copy = folder / "config.yaml"
    copy.write_text(yaml.safe_dump(told))
    return copy


def test_views_name_what_a_direct_backfill_names(
    servers: str, config_file: Path, tmp_path: Path
) -> None:
    """By a loader that has nothing but the configuration."""
    direct, loaded = tmp_path / "direct", tmp_path / "loaded"
    for folder in (direct, loaded):
        call("clickhouse", "init", "--to", f"chdb:{folder}")
    for feed in FEEDS:
        call("backfill", "-c", str(config_file), "--to", f"chdb:{direct}", *DAYS, *feed, "--quiet")
    load(servers, elsewhere(config_file, tmp_path), loaded)

    queries = [*ASKED, *every_table()]
    found = rows(loaded, *queries)
    assert found == rows(direct, *queries)
    assert all(found)
    for query, answer in zip(ASKED, found, strict=False):
        # Store 0 is none: what distribution centres sent.
        assert not any("" in row for row in answer if row[0]), query
    # Both feeds of the direct one share what is noted, so that the second wrote nothing.
    assert notes(direct) == notes(loaded)


def test_loaded_twice_nothing_is_written_twice(
    servers: str, config_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "x.chdb"
    load(servers, config_file, folder, "--feed", "hub")
    before, noted = rows(folder, *every_table()), notes(folder)
    master = RetailConfig.from_file(config_file).paths.master
    for table, there in zip(MASTER_TABLES, before, strict=True):
        assert len(there) == file_of(master, table).read_text().count("\n") - 1, table.name
    load(servers, config_file, folder)
    assert (rows(folder, *every_table()), notes(folder)) == (before, noted)


def test_a_direct_backfill_goes_on_beside_what_was_loaded(
    servers: str, config_file: Path, tmp_path: Path
) -> None:
    """Each with tables of its own: neither takes the other for a second writer."""
    folder = tmp_path / "x.chdb"
    call("backfill", "-c", str(config_file), "--to", f"chdb:{folder}", *DAYS, "--all", "--quiet")
    noted = notes(folder)
    load(servers, config_file, folder, "--feed", "hub")
    call(
        *("backfill", "-c", str(config_file), "--to", f"chdb:{folder}", "--all", "--quiet"),
        *("--start", "2024-02-02", "--end", "2024-02-02"),
    )
    assert notes(folder) == noted


def test_another_retailers_master_data_are_refused_and_can_be_left_out(
    servers: str, config_file: Path, tmp_path: Path
) -> None:
    folder, other = tmp_path / "x.chdb", elsewhere(config_file, tmp_path, seed=12)
    with pytest.raises(UserError, match=r"seed was 11, here 12.*--no-dimensions"):
        load(servers, other, folder)
    there = "SELECT count() FROM system.tables WHERE database = 'retail' AND name = 'stores'"
    assert rows(folder, there) == [[(0,)]]
    load(servers, other, folder, "--no-dimensions", "--feed", "hub")
    hub, stores = rows(folder, "SELECT count() FROM retail.retail_events_realtime", there)
    assert hub[0][0] > 0  # type: ignore[operator]
    assert stores == [(0,)]


def test_a_feed_that_comes_later_is_asked_as_well(
    servers: str, config_file: Path, tmp_path: Path
) -> None:
    """A loader that runs before there are events, and whose retailer then is another one."""
    config = RetailConfig.from_file(elsewhere(config_file, tmp_path, seed=12))
    own = prefix()[1]
    topics = [own + topic for topic in loadable(config)]
    with closing(ClickHouse.of(f"chdb:{tmp_path / 'x.chdb'}")) as clickhouse:
        clickhouse.run("CREATE DATABASE IF NOT EXISTS retail")
        master = MasterData(config, Settings(servers, {}, 30.0), own, topics, clickhouse)
        master(())
        assert clickhouse.rows("SELECT count() FROM retail.stores")[0][0] == 3
        with pytest.raises(UserError, match="feed 'hub' were made of other master data"):
            master([f"{own}retail-datagen-checkpoints-hub"])


def test_a_feed_that_is_made_anew_by_another_retailer_is_noticed(
    kafka: Address, kafka_prefix: str, config_file: Path, tmp_path: Path
) -> None:
    config = RetailConfig.from_file(config_file)
    topics = [kafka_prefix + topic for topic in loadable(config, "hub")]
    there = [f"{kafka_prefix}retail-datagen-checkpoints-hub"]

    def send(file: Path, *more: str) -> None:
        to = ("--to", f"kafka://{kafka.servers}", "--topic-prefix", kafka_prefix, "--quiet")
        call("backfill", "-c", str(file), *to, "--start=2024-02-01", "--end=2024-02-01", *more)

    with closing(ClickHouse.of(f"chdb:{tmp_path / 'x.chdb'}")) as clickhouse:
        clickhouse.run("CREATE DATABASE IF NOT EXISTS retail")
        settings = Settings(kafka.servers, {}, 30.0)
        master = MasterData(config, settings, kafka_prefix, topics, clickhouse)
        send(config_file)
        master(there)
        send(elsewhere(config_file, tmp_path, seed=12), "--overwrite")
        with pytest.raises(UserError, match="seed was 12, here 11"):
            master(there)
