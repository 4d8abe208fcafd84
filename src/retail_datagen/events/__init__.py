"""The facts as events: topics that people subscribe to, each a table that is rendered from facts.

Pure, as tables are: one day of one topic from the world, the seed and the day's plan. Nothing here
sends anything. The engine and what lies above it may enter.
"""

from retail_datagen.events.base import EventTopic
from retail_datagen.events.context import EventContext, EventDay
from retail_datagen.events.feeds import FEEDS, Feed, topics_of
from retail_datagen.events.plan import EventPlan, EventPlanner

__all__ = [
    "FEEDS",
    "EventContext",
    "EventDay",
    "EventPlan",
    "EventPlanner",
    "EventTopic",
    "Feed",
    "topics_of",
]
