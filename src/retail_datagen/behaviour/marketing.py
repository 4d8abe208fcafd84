"""Impressions of the campaigns that run on a day, and whom they bring to the store."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retail_datagen.config.parts import SEGMENTS
from retail_datagen.config.profile import Profile
from retail_datagen.core.arrays import I16, I32, I64, U8, U16
from retail_datagen.core.order import stable_order
from retail_datagen.core.rng import Stream, integer_weights, lookup
from retail_datagen.world.model import World

_LATEST_VISIT = 4
"""Days after an impression on which its reader may still come."""


@dataclass(frozen=True, slots=True)
class Impressions:
    """Impressions of a day by time: [impressions]; `cost` in cents, rows of world and profile."""

    second: I32
    campaign: I32
    channel: U8
    device: U8
    creative: U8
    customer: I32
    cost: I64

    def __len__(self) -> int:
        return len(self.second)


@dataclass(frozen=True, slots=True)
class Response:
    """Readers who will come, `delay` days after the impression: [responses]."""

    customer: I32
    promotion: I16
    delay: U8


class Marketing:
    """Draws impressions by campaign weight, channel, target segment and hour."""

    def __init__(self, world: World, profile: Profile, online_hours: U16, seed: int) -> None:
        self._seed = seed
        self._campaigns = world.campaigns
        self._hours = online_hours
        channels = profile.marketing.channels
        self.devices = tuple(dict.fromkeys(d for c in channels for d in c.devices))
        self._channel = lookup(integer_weights([c.weight for c in channels]), 12)
        device_tables = [
            lookup(integer_weights([c.devices.get(d, 0.0) for d in self.devices]), 8)
            for c in channels
        ]
        self._device = np.concatenate(device_tables).astype(np.uint8)
        self._cost = np.array([[round(c * 100) for c in ch.cost] for ch in channels], np.int64)
        self._conversion = integer_weights([c.conversion for c in channels], 1 << 16)
        self._response = integer_weights(
            [profile.segments[s].promo_response for s in SEGMENTS], 1000
        )
        self._segment = world.customers.segment
        self._customers = stable_order(self._segment).astype(np.int32)
        size = np.bincount(self._segment, minlength=len(SEGMENTS))
        self._first = np.concatenate([[0], np.cumsum(size)])

    def draw(self, day: int, count: int) -> Impressions:
        """`count` impressions, by time. There must be an active campaign when count > 0."""
        active = self._campaigns.running(day)
        stream = Stream(self._seed, "impressions", day)
        times = stream.u32(count)
        half_hour = self._hours.take(times & np.uint32(0xFFF))
        second = (times >> np.uint32(12)).astype(np.int64) * 1800 >> 20
        second += half_hour.astype(np.int64) * 1800
        second = np.sort(second.astype(np.int32))
        bits = stream.u64(count).view(np.uint16).reshape(-1, 4)
        weight = self._campaigns.weight[active].astype(np.int64)
        running = lookup(weight if len(active) else np.ones(1, dtype=np.int64), 12)
        campaign = active.take(running.take(bits[:, 0] >> np.uint16(4))) if count else active[:0]
        channel = self._channel.take(bits[:, 1] >> np.uint16(4)).astype(np.int64)
        device = self._device.take((channel << 8) | (bits[:, 2] >> np.uint16(8)))
        creative = (bits[:, 2] & np.uint16(3)).astype(np.uint8)
        target = self._campaigns.segment.take(campaign).astype(np.int64)
        everybody = target < 0
        first = np.where(everybody, 0, self._first[target])
        last = np.where(everybody, len(self._customers), self._first[target + 1])
        reached = np.minimum(
            first + stream.below(count, np.maximum(last - first, 1)), len(self._customers) - 1
        )
        low, high = self._cost[:, 0].take(channel), self._cost[:, 1].take(channel)
        cost = low + (((high - low + 1) * bits[:, 3]) >> 16)
        return Impressions(
            second,
            campaign.astype(np.int32),
            channel.astype(np.uint8),
            device,
            creative,
            self._customers.take(reached),
            cost,
        )

    def respond(self, day: int, impressions: Impressions) -> Response:
        """Whom the day's impressions bring to a store, and how many days later."""
        bits = Stream(self._seed, "impressions.response", day).u32(len(impressions))
        appeal = self._response.take(self._segment.take(impressions.customer))
        odds = self._conversion.take(impressions.channel) * appeal // 1000
        won = np.flatnonzero((bits >> np.uint32(16)).astype(np.int64) < odds)
        delay = 1 + ((bits[won] & np.uint32(0xFFFF)).astype(np.int64) * _LATEST_VISIT >> 16)
        promotion = self._campaigns.promotion[impressions.campaign[won]]
        return Response(
            impressions.customer[won], promotion.astype(np.int16), delay.astype(np.uint8)
        )
