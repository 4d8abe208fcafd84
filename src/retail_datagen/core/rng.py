"""Randomness without surprises: one named, counter-based stream per decision and day.

Bits become decisions through integer tables of our own, so that neither NumPy's distributions
nor a CPU's last bit of `exp` ever change what is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from retail_datagen.core.arrays import I64 as I64
from retail_datagen.core.arrays import U8, U16, U32, U64
from retail_datagen.core.arrays import Ints as Ints

_BLOCK = 1 << 15
"""Rows that are worked on at once: few enough to stay in a core's cache from step to step."""


class Stream:
    """The bits of one decision: a function of (seed, name, day), in the order they are taken."""

    __slots__ = ("_bits",)

    def __init__(self, seed: int, name: str, day: int = 0) -> None:
        digest = blake2b(f"{seed}|{name}|{day}".encode(), digest_size=16).digest()
        self._bits = np.random.Philox(key=int.from_bytes(digest, "little"))

    def u64(self, n: int) -> U64:
        """`n` uniform 64-bit integers."""
        raw = self._bits.random_raw(n)
        return np.asarray(raw, dtype="<u8")

    def u32(self, n: int) -> U32:
        """`n` uniform 32-bit integers."""
        return self.u64((n + 1) // 2).view(np.uint32)[:n]

    def u16(self, n: int) -> U16:
        """`n` uniform 16-bit integers."""
        return self.u64((n + 3) // 4).view(np.uint16)[:n]

    def u8(self, n: int) -> U8:
        """`n` uniform 8-bit integers."""
        return self.u64((n + 7) // 8).view(np.uint8)[:n]

    def below(self, n: int, bound: int | Ints) -> I64:
        """`n` integers, uniform in [0, bound); `bound` is one number or one for each."""
        bits = self.u32(n)
        drawn = np.empty(n, dtype=np.uint64)
        bounds = np.broadcast_to(np.asarray(bound, dtype=np.uint64), n)
        for start in range(0, n, _BLOCK):
            block = drawn[start : start + _BLOCK]
            np.multiply(bits[start : start + _BLOCK], bounds[start : start + _BLOCK], out=block)
            np.right_shift(block, np.uint64(32), out=block)
        return drawn.view(np.int64)

    def permutation(self, n: int) -> I64:
        """0 … n-1 in random order."""
        keys = (self.u64(n) >> np.uint64(24) << np.uint64(24)) | np.arange(n, dtype=np.uint64)
        if n >= 1 << 24:
            raise ValueError("permutation is for fewer than 2**24 items")
        keys.sort()
        return (keys & np.uint64((1 << 24) - 1)).astype(np.int64)


def integer_weights(weights: Sequence[float], scale: int = 1_000_000) -> I64:
    """Relative weights as integers: the point after which no float decides anything."""
    return np.array([round(w * scale) for w in weights], dtype=np.int64)


def slots(weights: I64, size: int) -> I64:
    """How many of `size` slots each weight gets; they sum to `size`, in proportion."""
    total = int(weights.sum())
    if total <= 0:
        raise ValueError("at least one weight must be above zero")
    if total > (2**63 - 1) // size:
        raise ValueError("weights are too large for that many slots")
    bounds = np.cumsum(weights) * size // total
    return np.diff(bounds, prepend=0)


def lookup(weights: I64, bits: int = 16) -> U16:
    """A table of 2**bits entries: indexed with that many random bits, it draws by weight."""
    shares = slots(np.asarray(weights, dtype=np.int64), 1 << bits)
    return np.repeat(np.arange(len(shares), dtype=np.uint16), shares)


def mix(values: Ints, salt: int) -> U64:
    """A fixed, well-mixed 64-bit hash of each value (SplitMix64): the same on every day."""
    x = values.astype(np.uint64) + np.uint64(salt % 2**64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: U64 = x ^ (x >> np.uint64(31))
    return mixed
