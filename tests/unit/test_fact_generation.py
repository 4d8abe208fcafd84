"""The published API's snippets, word for word, in a folder with a small configuration."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from retail_datagen.config.errors import UserError
from retail_datagen.config.models import RetailConfig
from retail_datagen.core.calendar import to_day
from retail_datagen.engine.events import Event, JobFinished, JobStarted, PartitionWritten
from retail_datagen.generators.fact_generator import FactDataGenerator, FactGenerationSummary
from retail_datagen.generators.retail_patterns import ShoppingBasket, ShoppingBehaviorType
from retail_datagen.retailer import Retailer
from retail_datagen.schema.csv import write_csv

CONFIG = {
    "seed": 42,
    "volume": {
        "stores": 3,
        "dcs": 2,
        "customers_per_day": 60,
        "items_per_ticket_mean": 4.2,
        "online_orders_per_day": 12,
        "products": 200,
    },
    "realtime": {"emit_interval_ms": 500, "burst": 100},
    "paths": {"dict": "data/dictionaries", "master": "data/master", "facts": "data/facts"},
    "stream": {"hub": "retail-events"},
    "calendar": {"first": "2023-01-01", "last": "2024-12-31"},
}
"""The published one, but smaller."""

BASIC_USAGE = """
from datetime import datetime, timedelta
from retail_datagen.config.models import RetailConfig
from retail_datagen.generators.fact_generator import FactDataGenerator

# Load configuration
config = RetailConfig.from_file("config.json")

# Initialize generator (loads master data automatically)
generator = FactDataGenerator(config)

# Generate 30 days of historical data
start_date = datetime(2024, 1, 1)
end_date = datetime(2024, 1, 30)

summary = generator.generate_historical_data(start_date, end_date)

print(f"Generated {summary.total_records} records in {summary.generation_time_seconds:.1f}s")
"""

TEMPORAL_PATTERNS = """
from retail_datagen.generators.seasonal_patterns import CompositeTemporalPatterns

# Override seasonal multipliers
patterns = CompositeTemporalPatterns(seed=42)
custom_multiplier = patterns.get_overall_multiplier(datetime(2024, 12, 25))
"""

CUSTOMER_JOURNEY = """
from retail_datagen.generators.retail_patterns import CustomerJourneySimulator

# Generate specific shopping behavior
simulator = CustomerJourneySimulator(customers, products, stores)
basket = simulator.generate_shopping_basket(
    customer_id=123, 
    behavior_type=ShoppingBehaviorType.FAMILY_SHOPPING
)
"""

BUSINESS_RULES = """
from retail_datagen.generators.retail_patterns import BusinessRulesEngine

rules = BusinessRulesEngine()
is_valid = rules.validate_receipt_totals(receipt_lines, total_amount)
validation_summary = rules.get_validation_summary()
"""

DEBUG_MODE = """
generator = FactDataGenerator(config)
generator.business_rules.clear_validation_results()  # Clear previous validations

# Enable detailed logging
import logging
logging.basicConfig(level=logging.DEBUG)
"""

HEADERS = {
    "dc_inventory_txn": "TraceId,EventTS,DCID,ProductID,QtyDelta,Reason",
    "truck_moves": "TraceId,EventTS,TruckId,DCID,StoreID,ShipmentId,Status,ETA,ETD",
    "store_inventory_txn": "TraceId,EventTS,StoreID,ProductID,QtyDelta,Reason,Source",
    "receipts": "TraceId,EventTS,StoreID,CustomerID,ReceiptId,Subtotal,Tax,Total,TenderType",
    "receipt_lines": "TraceId,EventTS,ReceiptId,Line,ProductID,Qty,UnitPrice,ExtPrice,PromoCode",
    "foot_traffic": "TraceId,EventTS,StoreID,SensorId,Zone,Dwell,Count",
    "ble_pings": "TraceId,EventTS,StoreID,BeaconId,CustomerBLEId,RSSI,Zone",
    "marketing": "TraceId,EventTS,Channel,CampaignId,CreativeId,CustomerAdId,ImpressionId,Cost,"
    "Device",
}
START, END = date(2024, 1, 1), date(2024, 1, 30)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What the basic snippet leaves: its names, its output and its folder."""
    folder = tmp_path_factory.mktemp("published")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    printed = io.StringIO()
    names: dict[str, object] = {"print": lambda text: printed.write(text), "folder": folder}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(BASIC_USAGE, names)
    names["printed"] = printed.getvalue()
    return names


@pytest.fixture
def folder(generated: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the snippet ran; the working directory of the test."""
    folder = generated["folder"]
    assert isinstance(folder, Path)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def config(folder: Path) -> RetailConfig:
    return RetailConfig.from_file("config.json")


def test_the_basic_snippet_says_what_it_made(generated: dict[str, object], folder: Path) -> None:
    summary = generated["summary"]
    assert isinstance(summary, FactGenerationSummary)
    pattern = rf"Generated {summary.total_records} records in \d+\.\ds"
    assert re.fullmatch(pattern, str(generated["printed"]))
    files = list((folder / "data/facts").glob("*/dt=*/*.csv"))
    assert summary.total_records == sum(summary.records.values())
    assert summary.total_records == sum(len(f.read_bytes().splitlines()) - 1 for f in files)
    assert summary.bytes == sum(f.stat().st_size for f in files)
    assert summary.partitions_written == len(files) == 30 * len(summary.records)
    assert (summary.start_date, summary.end_date) == (START, END)


def test_the_output_lies_where_the_published_api_says(folder: Path) -> None:
    facts = folder / "data/facts"
    assert (facts / "receipts/dt=2024-01-01/receipts_20240101.csv").is_file()
    for table in (*HEADERS, "online_orders"):
        days = sorted(path.name for path in (facts / table).iterdir())
        assert days == [f"dt=2024-01-{day:02}" for day in range(1, 31)], table


@pytest.mark.parametrize("table", HEADERS)
def test_headers_are_the_published_ones(folder: Path, table: str) -> None:
    path = folder / f"data/facts/{table}/dt=2024-01-17/{table}_20240117.csv"
    assert path.read_text().split("\n")[0] == HEADERS[table]


def test_what_is_written_is_what_is_rendered_in_memory(config: RetailConfig) -> None:
    retailer = Retailer(config, START)
    for table, schema in retailer.tables().items():
        expected = io.BytesIO()
        write_csv(schema, retailer.render(table, "2024-01-17"), expected)
        path = config.paths.facts / f"{table}/dt=2024-01-17/{table}_20240117.csv"
        assert path.read_bytes() == expected.getvalue(), table


def test_a_second_run_keeps_what_is_there(config: RetailConfig) -> None:
    again = FactDataGenerator(config).generate_historical_data(START, END)
    assert again.partitions_written == 0
    assert again.partitions_kept == 30 * len(again.records)
    assert again.total_records == sum(again.records.values()) > 0


def test_temporal_patterns_snippet() -> None:
    names: dict[str, object] = {"datetime": datetime}
    exec(TEMPORAL_PATTERNS, names)
    assert names["custom_multiplier"] == 0.0, "stores are closed at Christmas"


@pytest.mark.parametrize("how", ["arrow", "pandas", "dicts"])
def test_customer_journey_snippet(folder: Path, how: str) -> None:
    names: dict[str, object] = {"ShoppingBehaviorType": ShoppingBehaviorType}
    for table in ("customers", "products", "stores"):
        path = folder / f"data/master/{table}.csv"
        read = pacsv.read_csv(path)
        with path.open() as file:
            rows = list(csv.DictReader(file))
        names[table] = {"arrow": read, "pandas": read.to_pandas(), "dicts": rows}[how]
    exec(CUSTOMER_JOURNEY, names)
    basket = names["basket"]
    assert isinstance(basket, ShoppingBasket)
    assert basket.customer_id == 123
    assert basket.behavior_type is ShoppingBehaviorType.FAMILY_SHOPPING
    assert basket.estimated_total == sum(i.unit_price * i.qty for i in basket.items) > 0


def test_business_rules_snippet(folder: Path) -> None:
    lines = pacsv.read_csv(
        folder / "data/facts/receipt_lines/dt=2024-01-17/receipt_lines_20240117.csv"
    ).to_pylist()
    first = [line for line in lines if line["ReceiptId"] == lines[0]["ReceiptId"]]
    total = sum(Decimal(str(line["ExtPrice"])) for line in first)
    for amount, expected in ((total, True), (total + Decimal("0.01"), False)):
        names: dict[str, object] = {"receipt_lines": first, "total_amount": amount}
        exec(BUSINESS_RULES, names)
        assert names["is_valid"] is expected
        assert getattr(names["validation_summary"], "passed" if expected else "failed") == 1


def test_debug_snippet_and_what_the_log_then_says(
    config: RetailConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths = config.paths.model_copy(update={"facts": tmp_path})
    names: dict[str, object] = {
        "FactDataGenerator": FactDataGenerator,
        "config": config.model_copy(update={"paths": paths}),
    }
    exec(DEBUG_MODE, names)
    generator = names["generator"]
    assert isinstance(generator, FactDataGenerator)
    assert generator.business_rules.get_validation_summary().total == 0
    with caplog.at_level(logging.DEBUG, logger="retail_datagen"):
        summary = generator.generate_historical_data(START, date(2024, 1, 2))
    debug = [record.message for record in caplog.records if record.levelno == logging.DEBUG]
    assert "2024-01-02 planned" in debug
    complete = [re.fullmatch(r"2024-01-0\d complete: (\d+) records", line) for line in debug]
    assert sum(int(found[1]) for found in complete if found) == summary.total_records
    assert sum(1 for found in complete if found) == 2


def test_progress_is_told_to_whoever_listens(config: RetailConfig, tmp_path: Path) -> None:
    heard: list[Event] = []
    paths = config.paths.model_copy(update={"facts": tmp_path})
    generator = FactDataGenerator(
        config.model_copy(update={"paths": paths}),
        heard.append,
        tables=["receipts", "receipt_lines"],
        format="parquet",
        workers=1,
    )
    summary = generator.generate_historical_data(datetime(2024, 1, 1, 13), datetime(2024, 1, 3, 8))
    assert isinstance(heard[0], JobStarted)
    assert isinstance(heard[-1], JobFinished)
    assert sum(isinstance(event, PartitionWritten) for event in heard) == 6
    assert set(summary.records) == {"receipts", "receipt_lines"}
    assert (tmp_path / "receipts/dt=2024-01-03/receipts_20240103.parquet").is_file()


def test_another_history_is_replaced_only_when_told_to(
    config: RetailConfig, tmp_path: Path
) -> None:
    paths = config.paths.model_copy(update={"facts": tmp_path})
    config = config.model_copy(update={"paths": paths})

    def receipts(seed: int, overwrite: bool = False) -> bytes:
        seeded = config.model_copy(update={"seed": seed})
        generator = FactDataGenerator(seeded, tables=["receipts"], workers=1, overwrite=overwrite)
        generator.generate_historical_data(START, START)
        return (tmp_path / "receipts/dt=2024-01-01/receipts_20240101.csv").read_bytes()

    before = receipts(42)
    with pytest.raises(UserError, match="another history: seed was 42, now 7"):
        receipts(7)
    assert receipts(42) == before
    assert receipts(7, overwrite=True) != before


def test_the_world_is_loaded_from_the_users_files(config: RetailConfig) -> None:
    world = FactDataGenerator(config).world
    assert world.stores.store_id.tolist() == [1, 2, 3]


def test_some_master_data_missing_is_said_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / "stores.csv").write_text("StoreID\n1\n")
    paths = {"master": tmp_path, "facts": tmp_path / "facts"}
    config = RetailConfig.model_validate({**CONFIG, "paths": paths})
    with pytest.raises(UserError, match=r"Master data not found: .* has no .*customers\.csv"):
        FactDataGenerator(config).generate_historical_data(START, START)
    assert not (tmp_path / "facts").exists()


def test_an_end_before_its_start_is_refused(config: RetailConfig) -> None:
    with pytest.raises(UserError, match="end: 2024-01-01 is before the start, 2024-01-02"):
        FactDataGenerator(config).generate_historical_data(date(2024, 1, 2), date(2024, 1, 1))


def test_rules_hold_on_what_was_generated(config: RetailConfig) -> None:
    """Every receipt of a day, every movement of a month, every truck and product."""
    generator = FactDataGenerator(config)
    rules, facts = generator.business_rules, config.paths.facts

    def read(table: str) -> pa.Table:
        days = sorted((facts / table).glob("dt=*/*.csv"))
        text = {"PromoCode": pa.string(), "ReceiptId": pa.string()}
        options = pacsv.ConvertOptions(column_types=text)
        read = [pacsv.read_csv(day, convert_options=options) for day in days]
        return pa.concat_tables([day for day in read if day.num_rows])

    lines: dict[str, list[dict[str, object]]] = {}
    for line in read("receipt_lines").to_pylist():
        lines.setdefault(line["ReceiptId"], []).append(line)
    receipts = read("receipts").to_pylist()
    for receipt in receipts[:200]:
        assert rules.validate_receipt_totals(
            lines[receipt["ReceiptId"]], receipt["Total"], receipt["Tax"]
        )
    assert rules.validate_inventory_non_negative(read("store_inventory_txn"))
    assert rules.validate_inventory_non_negative(read("dc_inventory_txn"))
    assert rules.validate_truck_timing(read("truck_moves"))
    assert rules.validate_pricing(pacsv.read_csv(config.paths.master / "products.csv"))
    summary = rules.get_validation_summary()
    assert summary.all_passed
    assert summary.by_rule["receipt_totals"] == (200, 0)
    assert to_day(END) - to_day(START) == 29
