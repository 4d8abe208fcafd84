"""The small retailer of `eventful`, made once."""

from __future__ import annotations

import pytest
from eventful import Told, config_of, facts_of, feed_of

from retail_datagen.config.models import RetailConfig
from retail_datagen.events import Feed

DAYS = 14


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> RetailConfig:
    return config_of(tmp_path_factory.mktemp("eventful"))


@pytest.fixture(scope="session")
def topics(config: RetailConfig) -> Told:
    return feed_of(config, Feed("topics"), DAYS)


@pytest.fixture(scope="session")
def facts(config: RetailConfig) -> Told:
    return facts_of(config, DAYS)
