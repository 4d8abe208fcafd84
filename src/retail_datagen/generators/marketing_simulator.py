"""Campaigns: which run on a day, whom they reached, what they cost.

marketing = MarketingCampaignSimulator(history_start="2024-01-01")
marketing.active_campaigns("2024-01-17")
marketing.costs("2024-01-01", "2024-01-07")
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retail_datagen.config.parts import SEGMENTS
from retail_datagen.core.arrays import I64
from retail_datagen.core.calendar import to_day
from retail_datagen.retailer import Config, Date, Retailer, as_date

_MONEY = pa.decimal128(14, 2)


class MarketingCampaignSimulator:
    """The campaigns of a retailer, of one's own or made as `Retailer` says."""

    def __init__(
        self,
        config: Config = None,
        history_start: Date | None = None,
        retailer: Retailer | None = None,
    ) -> None:
        self.retailer = retailer or Retailer(config, history_start)

    def campaigns(self) -> pa.Table:
        """All campaigns of the calendar.

        CampaignId, PromoCode, Category, DiscountPercent, TargetSegment (null for everybody),
        StartDate and EndDate (both included).
        """
        return self._campaigns(np.arange(len(self.retailer.world.campaigns.campaign_id)))

    def active_campaigns(self, day: Date) -> pa.Table:
        """The campaigns that run on a day, with the columns of `campaigns`."""
        return self._campaigns(self.retailer.world.campaigns.running(to_day(as_date(day))))

    def impressions(self, day: Date) -> pa.Table:
        """The day's impressions: the marketing table."""
        return self.retailer.render("marketing", day)

    def costs(self, start: Date, end: Date) -> pa.Table:
        """CampaignId, Channel, Impressions and Cost from `start` to `end`, both included."""
        days = [
            shown.select(["CampaignId", "Channel", "Cost"])
            .set_column(0, "CampaignId", shown["CampaignId"].cast(pa.string()))
            .set_column(1, "Channel", shown["Channel"].cast(pa.string()))
            .set_column(2, "Cost", shown["Cost"].cast(_MONEY))
            for shown in self.retailer.days("marketing", start, end)
        ]
        totals = (
            pa.concat_tables(days)
            .group_by(["CampaignId", "Channel"])
            .aggregate([("Cost", "count"), ("Cost", "sum")])
            .select(["CampaignId", "Channel", "Cost_count", "Cost_sum"])
            .rename_columns(["CampaignId", "Channel", "Impressions", "Cost"])
        )
        return totals.sort_by([("CampaignId", "ascending"), ("Channel", "ascending")])

    def total_cost(self, start: Date, end: Date) -> Decimal:
        """What all impressions from `start` to `end` cost, both included."""
        total: Decimal | None = pc.sum(self.costs(start, end)["Cost"]).as_py()
        return total or Decimal("0.00")

    def _campaigns(self, rows: I64) -> pa.Table:
        world = self.retailer.world
        campaigns, promotions = world.campaigns, world.promotions
        promotion = campaigns.promotion[rows]
        names = [*SEGMENTS, None]
        return pa.table(
            {
                "CampaignId": pa.array([campaigns.campaign_id[row] for row in rows], pa.string()),
                "PromoCode": pa.array([promotions.code[row] for row in promotion], pa.string()),
                "Category": pa.array(
                    [world.categories[row] for row in promotions.category[promotion]], pa.string()
                ),
                "DiscountPercent": pa.array(promotions.percent[promotion].astype(np.int32)),
                "TargetSegment": pa.array(
                    [names[segment] for segment in campaigns.segment[rows]], pa.string()
                ),
                "StartDate": pa.array(campaigns.first_day[rows]).cast(pa.date32()),
                "EndDate": pa.array(campaigns.last_day[rows]).cast(pa.date32()),
            }
        )
