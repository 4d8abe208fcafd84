"""Rules of each kind of mess, whatever the texts, and what it leaves alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retail_datagen.core.rng import Stream
from retail_datagen.quality.mess import Mess, Spoiled, spoil
from retail_datagen.quality.mess.cells import Texts, break_dates, hit, mistype, pad, recase
from retail_datagen.schema.arrays import batch, category
from retail_datagen.schema.table import Column, Kind, Table

MAY = 18_030
Spoiler = Callable[[Texts, Stream, float], tuple[Texts, np.ndarray]]
WORDS = st.lists(st.none() | st.text("abABéÉ 19-", max_size=8), max_size=40)
SEEDS = st.integers(0, 2**40)
PARCELS = Table(
    "orders",
    "Parcels.",
    (
        Column("order_id", Kind.TEXT, "Key."),
        Column("order_channel", Kind.CATEGORY, "A styled one."),
        Column("colour", Kind.CATEGORY, "A clean one."),
        Column("total_items", Kind.INT, "Units."),
    ),
    ("order_id",),
)


def spoilt(how: Spoiler, column: pa.Array, seed: int, share: float) -> list[str | None]:
    """The texts after it; those that it does not name are checked to be as they were."""
    texts, rows = how(Texts.of(column), Stream(seed, "test"), share)
    made = texts.column(column.type)
    assert made.type.equals(column.type)
    if pa.types.is_dictionary(made.type):
        words = made.dictionary.to_pylist()
        assert len(words) == len(set(words))
        assert set(words) == set(made.drop_null().to_pylist())
    before, after = column.to_pylist(), made.to_pylist()
    assert [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b] == list(rows)
    return after


def columns(words: list[str | None]) -> tuple[pa.Array, pa.Array]:
    plain = pa.array(words, pa.string())
    return plain, plain.dictionary_encode()


@settings(max_examples=80, deadline=None)
@given(words=WORDS, seed=SEEDS)
def test_each_kind_does_what_it_says(words: list[str | None], seed: int) -> None:
    for column in columns(words):
        for how in (recase, pad, mistype):
            for before, after in zip(words, spoilt(how, column, seed, 1.0), strict=True):
                if before is None or after is None:
                    assert before is after
                elif how is recase:
                    options = {before.upper(), before.lower(), before.title()} - {before}
                    assert after in (options or {before})
                elif how is pad:
                    blanks = len(after) - len(before)
                    assert before in after
                    assert 1 <= blanks <= 4
                    assert Counter(after) == Counter(before) + Counter({" ": blanks})
                else:
                    places = [i for i in range(len(before)) if before[i] != after[i]]
                    assert sorted(before) == sorted(after)
                    assert len(places) in (0, 2)
                    assert all(before[i].isalpha() for i in places)
                    assert not places or places[1] == places[0] + 1


@settings(max_examples=40, deadline=None)
@given(words=WORDS.filter(bool), seed=SEEDS, data=st.data())
def test_a_cell_does_not_depend_on_those_behind_it(
    words: list[str | None], seed: int, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(words)))
    for column in columns(words):
        for how in (recase, pad, mistype):
            whole = spoilt(how, column, seed, 0.5)
            assert spoilt(how, column.slice(0, cut), seed, 0.5) == whole[:cut]


def test_rows_of_a_day_do_not_depend_on_those_behind_them() -> None:
    mess = Mess.of("heavy_mess", {"duplicates": "0.2", "late_arrivals": "0.2"})
    rows, cut = 400, 150
    clean = parcels(rows)

    def told(made: Spoiled) -> list[dict[str, object]]:
        return sorted(
            (row for row in made.truth.to_pylist() if row["row"] < cut),
            key=lambda row: (row["kind"], row["column_name"], row["row"]),
        )

    whole, first = (spoil(PARCELS, c, MAY, mess, 3) for c in (clean, clean.slice(0, cut)))
    assert told(whole) == told(first)
    assert told(first)
    assert whole.data.slice(0, first.data.num_rows).to_pylist() == first.data.to_pylist()
    assert whole.delay[: len(first.delay)].tolist() == first.delay.tolist()


def test_broken_dates_are_what_people_write() -> None:
    dates = pa.array(["2020-01-31", "2020-12-05 10:11:12", None] * 200)
    found = set(spoilt(break_dates, dates, 1, 1.0))
    assert found == {
        None,
        *("01/31/2020", "31.01.2020", "2020-02-30"),
        *("12/05/2020 10:11:12", "05.12.2020 10:11:12", "2020-02-30 10:11:12"),
    }


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
def test_a_share_is_met_and_luck_is_even(share: float) -> None:
    eligible = np.arange(100_000) % 2 == 0
    hits = hit(Stream(1, "test"), eligible, share)
    assert len(hits.rows) == pytest.approx(50_000 * share, abs=250 if share < 1 else 0)
    assert eligible[hits.rows].all()
    if share:
        each = np.bincount(hits.below(5), minlength=5) / len(hits.rows)
        assert each == pytest.approx(np.full(5, 0.2), abs=0.05)


def test_kinds_hit_independently() -> None:
    clean = parcels(50_000)
    truth = spoil(PARCELS, clean, MAY, Mess.of("heavy_mess", {}), 5).truth.to_pylist()
    padded, cased = (
        {row["row"] for row in truth if row["kind"] == kind} for kind in ("WHITESPACE", "CASING")
    )
    assert len(padded & cased) / 50_000 == pytest.approx(0.15 * 0.15, abs=0.003)


def test_without_days_nothing_is_late() -> None:
    clean = parcels(1_000)
    mess = Mess.of("none", {"late_arrivals": "0.5", "duplicates": "0.1"})
    made = spoil(PARCELS, clean, 0, mess, 5)
    assert made.late.num_rows == 0
    assert set(made.data["order_id"].to_pylist()) == set(clean["order_id"].to_pylist())
    assert spoil(PARCELS, clean, MAY, mess, 5).late.num_rows > 400


def parcels(rows: int) -> pa.Table:
    number = np.arange(rows)
    return batch(
        PARCELS,
        {
            "order_id": pa.array([f"ORD{n:010}" for n in number.tolist()]),
            "order_channel": category(number % 2, ("Web", "Phone")),
            "colour": category(number % 2, ("red", "blue")),
            "total_items": 1 + number % 5,
        },
    )
