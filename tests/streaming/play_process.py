"""Plays a feed in a process of its own, for tests that kill it.

python play_process.py CONFIG FEED URL UNTIL PAUSE
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from played import HOUR, START, ZONE, at

from retail_datagen.config.models import RetailConfig
from retail_datagen.sinks import StreamOptions
from retail_datagen.streaming.clock import LeapingClock
from retail_datagen.streaming.feed import Chosen
from retail_datagen.streaming.follow import Follow, run_follow
from retail_datagen.streaming.told import Opened, Told


class SlowLeaps(LeapingClock):
    """Pauses at each leap, so that there is time to be killed in."""

    def wait_until(self, instant: int) -> None:
        time.sleep(float(sys.argv[5]))
        super().wait_until(instant)


def tell(told: Told) -> None:
    if not isinstance(told, Opened):
        print(".", flush=True)


if __name__ == "__main__":
    config, feed, url, until, _ = sys.argv[1:]
    chosen = Chosen(RetailConfig.from_file(Path(config)), feed)
    asked = Follow(
        source=chosen.source,
        targets=(url,),
        options=StreamOptions(feed=feed, zone=ZONE),
        facts=chosen.config.paths.facts,
        first_day=START,
        tick_ms=HOUR,
        until=int(until),
    )
    run_follow(asked, lambda there: SlowLeaps(at(0) if there is None else there), [tell])
