"""The log lines of a stream of single events."""

from __future__ import annotations

import logging

LOG = logging.getLogger("retail_datagen.stream")
FORMAT = "%(asctime)s - REALISTIC_GEN - %(levelname)s - %(message)s"


class Narration:
    """Says what is sent, and counts: selections, to which a sale's update of stock does not add.

    Waits are told to those who debug.
    """

    def __init__(self) -> None:
        self.events = 0

    def begin(self, minutes: float | None) -> None:
        if minutes is None:
            LOG.info("Starting continuous realistic simulation")
        else:
            LOG.info("Starting realistic simulation for %g minutes", minutes)

    def __call__(self, kind: str, number: int) -> None:
        self.events = number
        LOG.info("Event #%d: %s generated", number, kind)

    def wait(self, seconds: float) -> None:
        LOG.debug("Waiting %.2f seconds before next event", seconds)

    def interrupted(self) -> None:
        LOG.info("Simulation interrupted by user")

    def end(self) -> None:
        LOG.info("Realistic simulation completed. Total events: %d", self.events)
