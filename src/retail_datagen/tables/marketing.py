"""Marketing: impressions of multi-channel campaigns."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from retail_datagen.core.arrays import Ints
from retail_datagen.schema import Column, Encoding, Kind, Table
from retail_datagen.schema.arrays import batch, category
from retail_datagen.tables.base import FactTable, time_column, trace_column
from retail_datagen.tables.context import Day
from retail_datagen.tables.names import daily_sequence, numbered, trace_sequence

TABLE = Table(
    name="marketing",
    doc="One row per impression. Some of those who see one come and buy with its promo code.",
    columns=(
        trace_column("One per impression."),
        time_column("When it was shown."),
        Column("Channel", Kind.CATEGORY, "Where it was shown.", example="FACEBOOK"),
        Column(
            "CampaignId",
            Kind.CATEGORY,
            "The campaign.",
            references="campaigns.CampaignId",
            example="CAMP20240101",
        ),
        Column("CreativeId", Kind.CATEGORY, "What was shown.", example="CREAT001FB01"),
        Column(
            "CustomerAdId",
            Kind.TEXT,
            "To whom.",
            references="customers.AdId",
            example="AD500123",
        ),
        Column(
            "ImpressionId",
            Kind.TEXT,
            "IMP, date, number of that day.",
            encoding=Encoding.DELTA_TEXT,
            example="IMP20240101234567",
        ),
        Column("Cost", Kind.MONEY, "Dollars for this impression.", example="0.15"),
        Column("Device", Kind.CATEGORY, "On what.", example="MOBILE"),
    ),
    key=("ImpressionId",),
)
_CREATIVES = 4


def render(day: Day) -> pa.Table:
    shown = day.market.impressions(day.number)
    count = len(shown)
    channels = day.context.profile.marketing.channels
    active = day.world.campaigns.running(day.number)
    campaign = np.searchsorted(active, shown.campaign)
    creative = (campaign * len(channels) + shown.channel) * _CREATIVES + shown.creative
    ad = day.world.customers.ad
    return batch(
        TABLE,
        {
            "TraceId": trace_sequence(day.traces.impressions, count),
            "EventTS": day.timestamps(shown.second),
            "Channel": category(shown.channel, [c.name for c in channels]),
            "CampaignId": category(
                campaign, [day.world.campaigns.campaign_id[row] for row in active]
            ),
            "CreativeId": category(creative, _creatives(active, [c.code for c in channels])),
            "CustomerAdId": numbered(b"AD", ad.take(shown.customer), ad),
            "ImpressionId": daily_sequence("IMP", day.number, count),
            "Cost": shown.cost,
            "Device": category(shown.device, day.market.marketing.devices),
        },
    )


def _creatives(campaigns: Ints, codes: list[str]) -> list[str]:
    return [
        f"CREAT{campaign + 1:03d}{code}{number + 1:02d}"
        for campaign in campaigns
        for code in codes
        for number in range(_CREATIVES)
    ]


FACTS = FactTable(TABLE, render)
