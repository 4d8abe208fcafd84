"""A small retailer's facts and changes in topics of a real broker, sent once for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hub import Hub
from sent import DAYS, PREFIX, START, Sent

from retail_datagen.config.models import RetailConfig
from retail_datagen.sinks.options import KafkaOptions, StreamOptions
from retail_datagen.streaming.backfill import Backfill, run_backfill
from retail_datagen.streaming.feed import Chosen
from services.kafka_broker import Address, kafka, kafka_prefix  # noqa: F401


@pytest.fixture(scope="session")
def config_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sent")
    file = folder / "config.yaml"
    told = {
        "seed": 11,
        "profile": "supercenter",
        "volume": {
            "stores": 3,
            "dcs": 1,
            "customers_per_day": 200,
            "online_orders_per_day": 20,
            "customers": 400,
            "products": 120,
        },
        "paths": {
            "dict": str(folder / "none"),
            "master": str(folder / "master"),
            "facts": str(folder / "facts"),
        },
        "calendar": {"first": "2023-01-01", "last": "2026-12-31"},
    }
    file.write_text(yaml.safe_dump(told))
    return file


@pytest.fixture(scope="session")
def sent(kafka: Address, config_file: Path) -> Sent:  # noqa: F811
    config = RetailConfig.from_file(config_file)
    retailers, plans = {}, {}
    for feed in ("facts", "cdc"):
        source = Chosen(config, feed).source
        options = StreamOptions(feed=feed, kafka=KafkaOptions(partitions=2, topic_prefix=PREFIX))
        run_backfill(
            Backfill(
                source,
                f"kafka://{kafka.servers}",
                options,
                config.paths.facts,
                START,
                START + DAYS - 1,
            )
        )
        retailers[feed] = source.open()
        planner = retailers[feed].planner(START, None)
        made = (planner.step() for _ in range(DAYS))
        plans[feed] = {plan.day: plan for plan in made}
    return Sent(kafka.servers, config, config_file, retailers, plans)


@pytest.fixture
def hub(kafka: Address, kafka_prefix: str, tmp_path: Path) -> Iterator[Hub]:  # noqa: F811
    made = Hub(kafka.servers, kafka_prefix, tmp_path)
    yield made
    made.clickhouse.close()
