"""Feeds: which topics go together, and what shapes them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from retail_datagen.events.base import EventTopic
from retail_datagen.events.topics import registry
from retail_datagen.events.topics.hub import TABLE as HUB

FEEDS = ("hub", "topics", "cdc")
"""What topics belong to; `facts`, the fact tables as they are, is no feed of events."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One of FEEDS by its name. `events_per_hour` thins the hub's; None sends all.

    `hub` is the name of the hub's topic.
    """

    name: str
    events_per_hour: float | None = None
    hub: str = HUB.topic

    @property
    def settings(self) -> dict[str, str]:
        """What shapes content beside the retailer."""
        if self.events_per_hour is None:
            return {}
        return {"events_per_hour": str(self.events_per_hour)}


def topics_of(feed: Feed) -> dict[str, EventTopic]:
    """The topics of a feed by their tables' names; none for an unknown feed."""
    found = {name: topic for name, topic in registry().items() if topic.feed == feed.name}
    if HUB.name in found:
        hub = found[HUB.name]
        found[HUB.name] = replace(hub, table=replace(hub.table, topic=feed.hub))
    return found
