"""Campaigns of a day are those that its impressions name, and costs add up to the cent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest

from retail_datagen.generators.marketing_simulator import MarketingCampaignSimulator
from retail_datagen.retailer import Retailer


@pytest.fixture(scope="module")
def marketing(retailer: Retailer) -> MarketingCampaignSimulator:
    return MarketingCampaignSimulator(retailer=retailer)


def test_campaigns_are_the_master_datas(
    marketing: MarketingCampaignSimulator, master: dict[str, pa.Table]
) -> None:
    promotions = {row["PromoCode"]: row for row in master["promotions"].to_pylist()}
    expected = {
        row["CampaignId"]: {
            "CampaignId": row["CampaignId"],
            "PromoCode": row["PromoCode"],
            "Category": promotions[row["PromoCode"]]["Category"],
            "DiscountPercent": promotions[row["PromoCode"]]["DiscountPercent"],
            "TargetSegment": row["TargetSegment"] or None,
            "StartDate": row["StartDate"],
            "EndDate": row["EndDate"],
        }
        for row in master["campaigns"].to_pylist()
    }
    found = {row["CampaignId"]: row for row in marketing.campaigns().to_pylist()}
    assert found == expected


@pytest.mark.parametrize("day", [date(2024, 1, 1), date(2024, 1, 5)])
def test_impressions_are_of_campaigns_that_run(
    marketing: MarketingCampaignSimulator, day: date
) -> None:
    active = marketing.active_campaigns(day).to_pylist()
    assert all(row["StartDate"] <= day <= row["EndDate"] for row in active)
    shown = marketing.impressions(day)
    assert shown.num_rows > 0
    assert set(shown["CampaignId"].to_pylist()) <= {row["CampaignId"] for row in active}


def test_a_campaign_runs_from_its_first_day_to_its_last(
    marketing: MarketingCampaignSimulator,
) -> None:
    one = marketing.campaigns().to_pylist()[10]
    first, last = one["StartDate"], one["EndDate"]
    for day, runs in (
        (first, True),
        (last, True),
        (date.fromordinal(first.toordinal() - 1), False),
        (date.fromordinal(last.toordinal() + 1), False),
    ):
        running = marketing.active_campaigns(day)["CampaignId"].to_pylist()
        assert (one["CampaignId"] in running) is runs


def test_costs_add_up_to_the_cent(
    marketing: MarketingCampaignSimulator, retailer: Retailer
) -> None:
    rows = [
        row
        for day in retailer.days("marketing", "2024-01-01", "2024-01-03")
        for row in day.to_pylist()
    ]
    expected: dict[tuple[str, str], tuple[int, Decimal]] = {}
    for row in rows:
        key = row["CampaignId"], row["Channel"]
        count, cost = expected.get(key, (0, Decimal(0)))
        expected[key] = count + 1, cost + row["Cost"]
    costs = marketing.costs("2024-01-01", "2024-01-03")
    found = {
        (row["CampaignId"], row["Channel"]): (row["Impressions"], row["Cost"])
        for row in costs.to_pylist()
    }
    assert found == expected
    assert list(found) == sorted(found)
    total = marketing.total_cost("2024-01-01", "2024-01-03")
    assert total == sum(row["Cost"] for row in rows) > 0
