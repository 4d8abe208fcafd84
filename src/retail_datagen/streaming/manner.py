"""How a stream goes: as what happens now, at some pace, or each event at its own time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from retail_datagen.config.errors import UserError
from retail_datagen.streaming.scenario import check_scenario


@dataclass(frozen=True, slots=True)
class Waits:
    """One event, then a wait of `least` to `most` seconds; None is the configuration's."""

    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class PerSecond:
    """So many events a second."""

    events: float


@dataclass(frozen=True, slots=True)
class InBursts:
    """As many events at once, and as often, as the configuration says."""


Pacing: TypeAlias = Waits | PerSecond | InBursts


@dataclass(frozen=True, slots=True)
class AsOfNow:
    """Events happen when they are sent: facts of the hour that it is, or of another one.

    That is the hour of the instant `sim_start`, or the busiest of a `scenario`.
    """

    pacing: Pacing = Waits()
    sim_start: int | None = None
    scenario: str | None = None


@dataclass(frozen=True, slots=True)
class AtOwnTime:
    """Each event is sent at its own time by a clock that runs at `speed`; infinite: it leaps.

    A history that is not there yet begins at the instant `sim_start`, else now. `on_gap`: what
    became due while nothing ran is sent (`fill`) or left out (`skip`). `history` are first and last
    day of what was sent before, for targets that do not remember it.
    """

    speed: float
    sim_start: int | None = None
    on_gap: str | None = None
    history: tuple[int, int] | None = None

    @property
    def is_live(self) -> bool:
        """Whether it goes by the time that it is, and not by one that is played."""
        return self.speed == 1 and self.sim_start is None


Manner: TypeAlias = AsOfNow | AtOwnTime


def manner_of(
    *,
    speed: float | None,
    rate: float | None,
    bursts: bool,
    waits: Waits,
    sim_start: int | None,
    scenario: str | None,
    on_gap: str | None,
) -> Manner:
    """What options mean together. Raises UserError for those that contradict each other."""
    paces = {
        "--speed": speed is not None,
        "--rate": rate is not None,
        "--bursts": bursts,
        "--min-delta and --max-delta": waits != Waits(),
    }
    given = [name for name, is_given in paces.items() if is_given]
    if len(given) > 1:
        raise UserError(f"{' and '.join(given)} are different paces; give one of them")
    if speed is not None:
        if scenario is not None:
            raise UserError("scenario: with --speed give --sim-start, the time at which to begin")
        return AtOwnTime(speed, sim_start, on_gap)
    if on_gap is not None:
        raise UserError("on-gap: goes with --speed, which plays a history on")
    if scenario is not None:
        check_scenario(scenario, sim_start)
    pacing: Pacing = waits
    if rate is not None:
        pacing = PerSecond(rate)
    elif bursts:
        pacing = InBursts()
    return AsOfNow(pacing, sim_start, scenario)
