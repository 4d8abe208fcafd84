"""Missing is what was not read so often on end where it ought to be; a reading finds it again."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from retail_datagen.store.simulation.detection import CONFIRMED, MISSES, judge
from retail_datagen.store.simulation.scanner import ReaderModel

ITEMS = 6
cycles = st.lists(
    st.lists(
        st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=ITEMS, max_size=ITEMS
    ),
    max_size=60,
)
"""Per cycle and item: in range, read, near enough to be sure."""


@given(cycles)
def test_missing_is_who_was_missed_often_enough_on_end(
    told: list[list[tuple[bool, bool, bool]]],
) -> None:
    misses = np.zeros(ITEMS, dtype=np.int16)
    missing = np.zeros(ITEMS, dtype=np.bool_)
    expected_misses = [0] * ITEMS
    expected_missing = [False] * ITEMS
    for cycle in told:
        rows = np.array([i for i in range(ITEMS) if cycle[i][0]], dtype=np.int64)
        read = np.array([cycle[i][1] for i in rows], dtype=np.bool_)
        sure = np.array([cycle[i][2] for i in rows], dtype=np.bool_)
        verdict = judge(misses, missing, rows, read, sure)
        became, again, looked = [], [], []
        for i in rows.tolist():
            if cycle[i][1]:
                expected_misses[i] = 0
                again += [i] if expected_missing[i] else []
                expected_missing[i] = False
            elif cycle[i][2]:
                expected_misses[i] += 1
                if expected_misses[i] >= MISSES and not expected_missing[i]:
                    expected_missing[i] = True
                    became.append(i)
                looked += [i] if expected_misses[i] >= CONFIRMED else []
        assert verdict.missing.tolist() == became
        assert verdict.found.tolist() == again
        assert verdict.to_look_for.tolist() == looked
    assert misses.tolist() == expected_misses
    assert missing.tolist() == expected_missing


def test_what_is_there_is_hardly_ever_called_missing() -> None:
    model = ReaderModel()
    assert model.missed(model.sure_range) ** MISSES < 1e-4


def test_counts_of_misses_do_not_overflow() -> None:
    misses, missing = np.full(1, 29_999, dtype=np.int16), np.ones(1, dtype=np.bool_)
    rows, yes = np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.bool_)
    for _ in range(5_000):
        judge(misses, missing, rows, ~yes, yes)
    assert misses[0] == 30_000
