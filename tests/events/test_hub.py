"""The hub's flat events: all of the facts, or a sample with the promised counts and mix."""

from __future__ import annotations

from datetime import date

import pytest
from eventful import START, config_of, facts_of, feed_of, sql
from hypothesis import given
from hypothesis import strategies as st

from retail_datagen.config.models import RetailConfig
from retail_datagen.core.rng import Stream
from retail_datagen.events import Feed
from retail_datagen.events.thin import sample

DAYS = 14


@pytest.fixture(scope="module")
def general(tmp_path_factory: pytest.TempPathFactory) -> RetailConfig:
    return config_of(tmp_path_factory.mktemp("general"), "general")


def test_all_events_are_lines_returns_and_deliveries(config: RetailConfig) -> None:
    hub = feed_of(config, Feed("hub"), DAYS).whole("retail_events_realtime")
    facts = facts_of(config, DAYS)
    told = sql(
        "SELECT transaction_type, count(*), sum(quantity), min(quantity), "
        "sum(quantity * unit_price) FROM hub GROUP BY ALL ORDER BY ALL",
        hub=hub,
    )
    meant = sql(
        """
        SELECT 'RESTOCK', count(*), sum(QtyDelta), min(QtyDelta) FROM moved
        WHERE Reason = 'INBOUND_SHIPMENT'
        UNION ALL SELECT 'RETURN', count(*), sum(Qty), min(Qty) FROM returned
        UNION ALL SELECT 'SALE', count(*), sum(Qty), min(Qty) FROM lines
        """,
        moved=facts.whole("store_inventory_txn"),
        returned=facts.whole("store_returns"),
        lines=facts.whole("receipt_lines"),
    )
    assert [row[:4] for row in told] == meant
    revenue = sql("SELECT sum(ExtPrice) FROM lines", lines=facts.whole("receipt_lines"))
    assert told[2][4] == revenue[0][0]


def test_a_thinned_feed_is_a_sample_with_the_promised_rate_and_mix(general: RetailConfig) -> None:
    days = 60
    thin = feed_of(general, Feed("hub", events_per_hour=5), days).whole("retail_events_realtime")
    everything = feed_of(general, Feed("hub"), days).whole("retail_events_realtime")
    strangers = sql(
        "SELECT count(*) FROM (SELECT * EXCLUDE (row) FROM thin EXCEPT ALL "
        "SELECT * EXCLUDE (row) FROM everything)",
        thin=thin,
        everything=everything,
    )
    assert strangers == [(0,)]
    calendar = feed_of(general, Feed("hub"), 1).retailer
    busy = sum(calendar.traffic(START + i) for i in range(days))
    assert len(thin) == pytest.approx(busy * 5 * 24, rel=0.02)
    late = sql(
        f"SELECT transaction_type, count(*) * 100.0 / sum(count(*)) OVER () FROM thin "
        f"WHERE day >= {START + 30} GROUP BY ALL ORDER BY 2 DESC",
        thin=thin,
    )
    shares = dict(late)
    assert shares["SALE"] == pytest.approx(90, abs=1)
    assert shares["RETURN"] == pytest.approx(7, abs=1)
    assert shares["RESTOCK"] == pytest.approx(3, abs=1)


def test_the_same_feed_is_the_same_events(general: RetailConfig) -> None:
    feed = Feed("hub", events_per_hour=5)
    one, other = (feed_of(general, feed, 5).whole("retail_events_realtime") for _ in range(2))
    assert one.equals(other)
    assert not one.equals(
        feed_of(general, Feed("hub", events_per_hour=6), 5).whole("retail_events_realtime")
    )


@given(count=st.integers(0, 500), wanted=st.integers(0, 500))
def test_a_sample_has_different_rows_in_order(count: int, wanted: int) -> None:
    rows = sample(Stream(1, "test", 2), count, wanted)
    assert len(rows) == min(count, wanted)
    assert (rows[1:] > rows[:-1]).all()
    assert ((rows >= 0) & (rows < max(count, 1))).all()


def test_feeds_differ_in_what_they_are_made_from(general: RetailConfig) -> None:
    thin = feed_of(general, Feed("hub", events_per_hour=5), 0).retailer.identity
    everything = feed_of(general, Feed("hub"), 0).retailer.identity
    assert thin != everything
    assert thin.settings["events_per_hour"] == "5"
    assert date(2024, 1, 1).toordinal() - date(1970, 1, 1).toordinal() == START
