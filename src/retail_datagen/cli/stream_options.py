"""Options that several commands of streams share, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from retail_datagen.config.errors import UserError
from retail_datagen.streaming.feed import HUB, NAMES

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Configuration file; else a general retailer."),
]
Feed = Annotated[str, typer.Option(metavar="|".join(NAMES), help="Which events.")]
Tables = Annotated[
    list[str] | None,
    typer.Option(metavar="A,B", help="Only these tables of the feed, separated by commas."),
]
EVENTS_PER_HOUR = 5.0
EventsPerHour = Annotated[
    float | None,
    typer.Option(
        metavar="N", help=f"Events of the hub an hour, on the average; else {EVENTS_PER_HOUR:g}."
    ),
]
NoDimensions = Annotated[
    bool, typer.Option("--no-dimensions", help="Only events: leave master data as they are there.")
]


def events_per_hour_of(given: float | None, feed: str) -> float | None:
    """To how many events an hour a feed is thinned; None for one that is sent whole.

    Raises UserError where a number is given that nothing would heed.
    """
    if feed == HUB:
        return EVENTS_PER_HOUR if given is None else given
    if given is not None:
        raise UserError(
            f"events-per-hour: only the feed {HUB!r} is thinned, and this is {feed!r}, which is "
            f"sent whole; leave it out, or give --feed {HUB}"
        )
    return None
