"""Sorting by small whole numbers: seconds of a day, stores, ranks."""

from __future__ import annotations

import numpy as np

from retail_datagen.core.arrays import I64, Ints

_BITS = 16


def stable_order(key: Ints) -> I64:
    """The rows in ascending order of `key`, which is not negative; equals stay as they are.

    NumPy sorts 16 bits by counting, which takes a fifth of the time of comparing wider numbers:
    so the key, counted from its lowest, is sorted by its low 16 bits, then by the next, and so on.
    The seconds of eighteen hours fit 16 bits.
    """
    if len(key):
        key = key - key.min()
    order: I64 = np.argsort(key.astype(np.uint16), kind="stable")
    rest = key >> _BITS
    while rest.any():
        again = np.argsort(rest.astype(np.uint16).take(order), kind="stable")
        order = order.take(again)
        rest = rest >> _BITS
    return order
