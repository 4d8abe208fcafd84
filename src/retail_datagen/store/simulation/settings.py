"""What can be asked of a simulation, what is allowed, and what each mode means."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from retail_datagen.config.errors import UserError

SPEED: Final = (0.5, 5.0)
SNAPSHOT_SECONDS: Final = (1, 7 * 86_400)
LONGEST_SECONDS: Final = 366 * 86_400
LARGEST_SEED: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Mode:
    """How many shoppers there are and how they behave. Shares are of 1."""

    name: str
    most_shoppers: int
    at_opening: int
    """Who stands at the door when the simulation begins."""
    per_hour: int
    """Arrivals in an hour of average traffic; who finds the store full goes away."""
    by_hour: bool
    """Whether arrivals follow the hours of a day."""
    aisles: tuple[int, int]
    """Aisles that a visit takes, least and most."""
    speed: tuple[int, int]
    """Walking speeds in cm/s, least and most."""
    look: tuple[int, int]
    """Milliseconds in front of an item, least and most."""
    put_back: float
    """Items that are picked up and put back, for each that leaves with a shopper."""
    stolen: float
    """Of the items that leave with a shopper, those that nobody pays for."""
    employees: int


MODES: Final = {
    mode.name: mode
    for mode in (
        Mode("demo", 8, 2, 240, False, (1, 2), (90, 140), (1000, 3000), 1.0, 0.03, 1),
        Mode("realistic", 25, 3, 90, True, (2, 5), (60, 120), (1500, 6000), 0.6, 0.01, 2),
        Mode("stress", 50, 50, 1800, False, (2, 5), (90, 160), (500, 2000), 0.4, 0.02, 3),
    )
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What a simulation is started with. Raises UserError for what is not allowed."""

    mode: str = "realistic"
    speed: float = 1.0
    """Simulated seconds to a real one. It paces; it changes nothing that happens."""
    disappearance: float = 0.015
    """Share of the items within reach on one walk of an aisle that leave with the shopper."""
    snapshot_interval: int = 3600
    """Simulated seconds between two snapshots of the stock."""
    duration: float | None = None
    """Simulated seconds after which it ends; without it, when it is stopped."""
    seed: int = 42
    analytics: bool = False
    """Whether detections and snapshots are kept. Sales and movements always are."""

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UserError(f"mode: {self.mode!r} is not a mode; allowed: {', '.join(MODES)}")
        _within("speed", self.speed, *SPEED)
        _within("disappearance", self.disappearance, 0, 1)
        _within("snapshot-interval", self.snapshot_interval, *SNAPSHOT_SECONDS, " seconds")
        if self.duration is not None:
            _within("duration", self.duration, 1, LONGEST_SECONDS, " seconds")
        _within("seed", self.seed, 0, LARGEST_SEED)

    @property
    def behaviour(self) -> Mode:
        return MODES[self.mode]

    def in_words(self) -> str:
        """What it goes by, as a log and a command line tell it."""
        return (
            f"mode {self.mode}, speed {self.speed:g}, disappearance {self.disappearance:g}, "
            f"seed {self.seed}, "
            + (
                f"snapshots every {self.snapshot_interval:,} s"
                if self.analytics
                else "without analytics"
            )
        )

    def changed(
        self,
        mode: str | None = None,
        speed: float | None = None,
        disappearance: float | None = None,
        snapshot_interval: int | None = None,
        analytics: bool | None = None,
    ) -> Settings:
        """With other values for what may change while it runs. Raises UserError."""
        return replace(
            self,
            mode=self.mode if mode is None else mode,
            speed=self.speed if speed is None else speed,
            disappearance=self.disappearance if disappearance is None else disappearance,
            snapshot_interval=(
                self.snapshot_interval if snapshot_interval is None else snapshot_interval
            ),
            analytics=self.analytics if analytics is None else analytics,
        )


def _within(field: str, value: float, least: float, most: float, unit: str = "") -> None:
    if not least <= value <= most:  # also refuses what is no number
        raise UserError(f"{field}: {value:g} is not allowed; give {least:g} to {most:,}{unit}")
