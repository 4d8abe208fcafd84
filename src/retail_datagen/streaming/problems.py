"""Problems on the line, as switches: what is asked for, and which events are hit.

Whether an event is hit follows from the seed and the event alone, so that the same stream has the
same problems however often it runs and wherever its ticks fall.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from retail_datagen.config.errors import UserError
from retail_datagen.core.arrays import I64, Bool
from retail_datagen.core.rng import mix

OUT_OF_ORDER, LATE, DUPLICATES = "out_of_order", "late", "duplicates"
GAPS, BURSTS, MALFORMED, SCHEMA = "gaps", "bursts", "malformed", "schema"


@dataclass(frozen=True, slots=True)
class Kind:
    """A problem that there is. `seconds` is how far it reaches unless something else is asked."""

    doc: str
    seconds: int = 0


KINDS: Mapping[str, Kind] = {
    OUT_OF_ORDER: Kind("a share of events is overtaken by others of up to so many seconds", 30),
    LATE: Kind("a share arrives later than so many seconds, twice that at most", 600),
    DUPLICATES: Kind("a share arrives again within so many seconds", 60),
    GAPS: Kind("in a share of the intervals of so many seconds nothing is sent: it is lost", 60),
    BURSTS: Kind("in a share of the intervals of so many seconds all waits for their end", 60),
    MALFORMED: Kind("a share is no message that can be read"),
    SCHEMA: Kind("from so many minutes on there is a column more, from twice that one is renamed"),
}
WORDS = ", ".join(KINDS)
_LEAST_SHARE, _LEAST_MINUTES = 1e-9, 1e-4
"""Less would be rounded to nothing: one of 2**31 values of bits, or a millisecond."""


@dataclass(frozen=True, slots=True)
class Problem:
    """`amount` is a share of events or intervals; for `schema`, minutes from the beginning."""

    name: str
    amount: float
    seconds: int


@dataclass(frozen=True, slots=True)
class Problems:
    """The problems that a stream has."""

    seed: int
    known: Mapping[str, Problem]

    def __bool__(self) -> bool:
        return bool(self.known)

    def hit(self, name: str, table: str, keys: I64) -> Bool:
        """Which of these are hit: [keys]. Keys tell events of a table, or intervals, apart."""
        if name not in self.known:
            return np.zeros(len(keys), dtype=np.bool_)
        return self._bits(name, table, keys) < np.int64(round(self.known[name].amount * (1 << 31)))

    def delay(self, name: str, table: str, keys: I64) -> I64:
        """A number of milliseconds of each, from 1 s to the problem's reach: [keys]."""
        reach = self.known[name].seconds * 1000
        bits = self._bits(f"{name}.delay", table, keys)
        return 1000 + (bits * max(reach - 1000, 0) >> 31)

    def choice(self, name: str, table: str, keys: I64, among: int) -> I64:
        """One of `among` for each: [keys]."""
        return self._bits(f"{name}.choice", table, keys) * among >> 31

    def _bits(self, name: str, table: str, keys: I64) -> I64:
        """31 bits of each: [keys]."""
        text = f"{self.seed}|stream.problem.{name}|{table}"
        salt = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")
        return (mix(keys, salt) >> np.uint64(33)).astype(np.int64)


def problems_of(texts: Iterable[str], seed: int) -> Problems:
    """Problems as they are asked for: `out_of_order=0.05` or `late=0.01,600`. Raises UserError."""
    found: dict[str, Problem] = {}
    for text in texts:
        problem = _read(text)
        if problem.name in found:
            raise UserError(f"problem: {problem.name} is given twice")
        found[problem.name] = problem
    return Problems(seed, found)


def _read(text: str) -> Problem:
    name, equals, amount = text.partition("=")
    name = name.strip().replace("-", "_")
    if name not in KINDS:
        raise UserError(f"problem: {name!r} is not known; allowed are {WORDS}")
    share, _, seconds = amount.partition(",")
    try:
        value = float(share)
        reach = int(seconds) if seconds else KINDS[name].seconds
    except ValueError:
        value, reach = -1.0, 0
    least, highest = (_LEAST_MINUTES, 1_000_000) if name == SCHEMA else (_LEAST_SHARE, 1)
    if (
        not equals
        or not least <= value <= highest
        or not 0 <= reach <= 86_400
        or bool(KINDS[name].seconds) is not bool(reach)
    ):
        what = f"{'minutes' if name == SCHEMA else 'a share'} from {_plain(least)} to {highest:,}"
        more = "" if not KINDS[name].seconds else f", and seconds if wanted: {name}=0.05,30"
        raise UserError(f"problem: {text!r} is not allowed; give {name}= and {what}{more}")
    return Problem(name, value, reach)


def _plain(number: float) -> str:
    """`0.0001`, however small."""
    return f"{number:.9f}".rstrip("0")
