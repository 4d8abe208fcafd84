"""The parts that checks are made of, against the same in plain Python."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from retail_datagen.lake.checks import Index
from retail_datagen.lake.columns import MISSING, id_numbers, says, whole_numbers
from retail_datagen.lake.ls import gaps
from retail_datagen.lake.window import Window

KEYS = st.lists(st.integers(0, 60), max_size=30)
ID = st.from_regex(r"(CART|CARD|)[0-9]{9,11}[0-9a:/]?", fullmatch=True) | st.none()
GOOD = st.integers(0, 10**10 - 1).map(lambda number: f"CART{number:010}")


def _number(text: str | None) -> int:
    good = text is not None and text.startswith("CART") and len(text) == 14
    good = good and all(c in "0123456789" for c in text[4:])
    return int(text[4:]) if good else MISSING


@settings(deadline=None)
@given(st.lists(GOOD) | st.lists(ID | GOOD), st.integers(0, 3))
def test_identifiers_become_numbers(texts: list[str | None], skipped: int) -> None:
    column = pa.chunked_array([pa.array(texts, pa.string()).slice(skipped)])
    assert id_numbers(column, "CART", 10).tolist() == [_number(text) for text in texts[skipped:]]


@settings(deadline=None)
@given(st.lists(st.integers(-(10**12) + 1, 10**12 - 1) | st.none()), st.integers(0, 3))
def test_money_becomes_cents(cents: list[int | None], skipped: int) -> None:
    values = [None if c is None else Decimal(c) / 100 for c in cents]
    wanted = [MISSING if c is None else c for c in cents[skipped:]]
    for kind in (pa.decimal128(12, 2), pa.decimal64(12, 2)):
        column = pa.chunked_array([pa.array(values, kind).slice(skipped)])
        assert whole_numbers(column).tolist() == wanted


@settings(deadline=None)
@given(st.lists(st.integers(0, 4 * 10**9) | st.none()), st.integers(0, 3))
def test_times_become_seconds(seconds: list[int | None], skipped: int) -> None:
    stamps = pa.array(seconds, pa.int64()).cast(pa.timestamp("s"))
    wanted = [MISSING if s is None else s for s in seconds[skipped:]]
    for unit in ("s", "ms", "us"):
        column = pa.chunked_array([stamps.cast(pa.timestamp(unit)).slice(skipped)])
        assert whole_numbers(column).tolist() == wanted


def test_words_are_compared_without_their_blanks_and_letters() -> None:
    texts = pa.chunked_array([pa.array([" EMPTIED", "Emptied ", "open", None, "emptied"])])
    assert says(texts, "emptied").tolist() == [1, 1, 0, 0, 1]
    assert says(texts.dictionary_encode(), "emptied").tolist() == [1, 1, 0, 0, 1]


@settings(deadline=None)
@given(KEYS, KEYS)
def test_an_index_finds_the_first_row_of_a_key(keys: list[int], wanted: list[int]) -> None:
    index = Index.of(np.array(keys, dtype=np.int64))
    found = index.find(np.array(wanted, dtype=np.int64)).tolist()
    assert found == [keys.index(key) if key in keys else -1 for key in wanted]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sets(st.integers(0, 90)), st.integers(0, 30)), max_size=12))
def test_a_window_holds_what_was_not_forgotten(days: list[tuple[set[int], int]]) -> None:
    window = Window(3)
    held: dict[int, tuple[int, int]] = {}
    for day, (keys, ago) in enumerate(days):
        ordered = np.array(sorted(keys), dtype=np.int64)
        rows = np.full(len(ordered), day), ordered * 2
        window.append(ordered, *rows)
        held = {key: (day, key * 2) for key in keys} | held
        window.forget(1, day - ago)
        ascending = sorted(held)
        recent = [at for at, key in enumerate(ascending) if held[key][0] >= day - ago]
        held = {key: held[key] for key in ascending[recent[0] if recent else len(ascending) :]}
        assert window.column(0).tolist() == sorted(held)
        assert window.column(1).tolist() == [held[key][0] for key in sorted(held)]
        found = window.find(np.arange(91))
        assert found.tolist() == [sorted(held).index(k) if k in held else -1 for k in range(91)]


@settings(deadline=None)
@given(st.sets(st.integers(0, 40)))
def test_gaps_are_the_days_between(days: set[int]) -> None:
    ordered = sorted(days)
    start = np.datetime64("2020-02-20")
    found = gaps([*(str(start + day) for day in ordered), "__HIVE_DEFAULT_PARTITION__"])
    missing = [d for d in range(min(days, default=0), max(days, default=0)) if d not in days]
    assert sum(gap.days for gap in found) == len(missing)
    inside = [
        str(day)
        for gap in found
        for day in np.arange(gap.first, np.datetime64(gap.last) + 1, dtype="M8[D]")
    ]
    assert inside == [str(start + day) for day in missing]
