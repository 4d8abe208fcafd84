"""What a mess does to a table, against what its truth says that it did."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retail_datagen.config.errors import UserError
from retail_datagen.ecom.tables import registry
from retail_datagen.quality.mess import LEVELS, Mess, messy_table, spoil
from retail_datagen.quality.mess.levels import NULLED, STYLED
from retail_datagen.schema.arrays import batch, category
from retail_datagen.schema.table import Kind, Table

ROWS = 50_000
DECEMBER, MAY = 18_240, 18_030
WORDS = ("Web", "Mobile App", "Phone", "Store Pickup", "4", "converted")


def sample(table: Table, rows: int = ROWS) -> pa.Table:
    """A clean table of such columns, each a little different from the others."""
    number = np.arange(rows)
    columns: dict[str, pa.Array | np.ndarray] = {}
    for place, column in enumerate(table.columns):
        spread = (number * (2 * place + 3)) % 97
        match column.kind:
            case Kind.CATEGORY:
                there = np.ones(rows, np.bool_) if not column.null else spread % 4 > 0
                columns[column.name] = category(spread % len(WORDS), WORDS, there)
            case Kind.TEXT:
                columns[column.name] = pa.array([f"{column.name}-{n}" for n in number.tolist()])
            case Kind.FLAG:
                columns[column.name] = pa.array(spread % 2 == 0)
            case _:
                columns[column.name] = number + 1_000
    return batch(table, columns)


def cells(data: pa.Table, name: str) -> list[str | None]:
    column = data[name].combine_chunks()
    return [None if v is None else str(v) for v in column.to_pylist()]


def texts(data: pa.Table, name: str) -> pa.ChunkedArray:
    return data[name].cast(pa.string())


def differing(now: pa.ChunkedArray, before: pa.ChunkedArray) -> set[int]:
    """Rows with another text, or with one where there was none, or the other way round."""
    one_is_null = pc.xor(pc.is_null(now), pc.is_null(before))
    differs = pc.or_(one_is_null, pc.fill_null(pc.not_equal(now, before), False))
    return set(pc.indices_nonzero(differs).to_pylist())


@pytest.mark.parametrize("level", [name for name in LEVELS if name != "none"])
@pytest.mark.parametrize("name", ["orders", "cart_items", "returns", "shopping_carts"])
def test_shares_are_those_of_the_level_and_the_truth_tells_all(level: str, name: str) -> None:
    table, mess = registry()[name].table, Mess.of(level, {})
    clean = sample(table)
    categories = pa.array(["Books", "Clothing"] * (ROWS // 2))
    spoilt = spoil(table, clean, MAY, mess, 42, categories)
    assert spoilt.data.schema.equals(messy_table(table, mess).arrow)
    told = Counter(
        zip(cells(spoilt.truth, "column_name"), cells(spoilt.truth, "kind"), strict=True)
    )
    shares = mess.shares
    for column in STYLED[name]:
        before = cells(clean, column)
        there = sum(v is not None for v in before)
        # What a bias put in place of a figure has a case.
        biased = (name, column) == ("returns", "reason")
        figures = sum(v == "4" for v in before) * (1 - biased * shares.reasons)
        cased = there - figures
        assert told[column, "WHITESPACE"] / there == pytest.approx(shares.whitespace, abs=0.005)
        assert told[column, "CASING"] / cased == pytest.approx(shares.casing, abs=0.005)
    for column in NULLED.get(name, ()):
        there = sum(v is not None for v in cells(clean, column))
        assert told[column, "NULL"] / there == pytest.approx(shares.nulls, abs=0.005)
    if name == "returns":
        there = sum(v is not None for v in cells(clean, "reason"))
        # None of the sample's words is a reason, so that every draw is another one.
        assert told["reason", "REASON_BIAS"] / there == pytest.approx(shares.reasons, abs=0.005)
    for column in table.header:
        now, before = texts(spoilt.data, column), texts(clean, column)
        rows = spoilt.truth.filter(pc.equal(texts(spoilt.truth, "column_name"), column))
        assert differing(now, before) == set(rows["row"].to_pylist()), column
        assert texts(rows, "clean_value").equals(before.take(rows["row"])), column
        assert texts(rows, "messy_value").equals(now.take(rows["row"])), column


def test_keys_and_money_stay_clean_and_none_changes_nothing() -> None:
    table = registry()["orders"].table
    clean = sample(table, 5_000)
    heavy = spoil(table, clean, MAY, Mess.of("heavy_mess", {}), 1)
    for name in ("order_id", "cart_id", "customer_id", "net_total", "order_date", "email"):
        assert heavy.data[name].equals(clean[name]), name
    none = spoil(table, clean, DECEMBER, Mess.of("baseline", {}), 1)
    assert none.data.equals(clean)
    assert none.truth.num_rows == 0


@pytest.mark.parametrize(("level", "factor"), [("medium_mess", 1.5), ("heavy_mess", 2.0)])
def test_months_of_spikes_sell_more_units(level: str, factor: float) -> None:
    table = registry()["orders"].table
    clean = sample(table, 2_000)
    for day, times in ((DECEMBER, factor), (MAY, 1.0)):
        data = spoil(table, clean, day, Mess.of(level, {}), 1).data
        want = np.floor(clean["total_items"].to_numpy() * times)
        assert (data["total_items"].to_numpy() == want).all()


def test_switches_hit_their_share_and_only_theirs() -> None:
    table = registry()["cart_items"].table
    clean = sample(table)
    mess = Mess.of(
        "none",
        {"typos": "0.05", "broken_dates": "0.04", "orphaned_keys": "0.03", "duplicates": "0.02"},
    )
    spoilt = spoil(table, clean, MAY, mess, 9)
    told = Counter(cells(spoilt.truth, "kind"))
    names = cells(clean, "product_name")
    can = sum(v is not None and v != "4" for v in names)
    assert told["TYPO"] / can == pytest.approx(0.05, abs=0.005)
    assert told["BROKEN_DATE"] / ROWS == pytest.approx(0.04, abs=0.005)
    assert told["ORPHAN"] / ROWS == pytest.approx(0.03, abs=0.005)
    assert told["DUPLICATE"] / ROWS == pytest.approx(0.02, abs=0.005)
    assert spoilt.data.num_rows == ROWS + told["DUPLICATE"]
    assert pa.types.is_string(spoilt.data.schema.field("added_at").type)
    assert not {"WHITESPACE", "CASING", "NULL", "LATE"} & set(told)
    known = set(clean["product_id"].to_pylist())
    lost = sum(v not in known for v in spoilt.data["product_id"].to_pylist())
    assert lost >= told["ORPHAN"]


def test_a_drifted_column_comes_in_july_and_goes_in_january() -> None:
    table, mess = registry()["orders"].table, Mess.of("none", {"schema_drift": "true"})
    clean = sample(table, 10)
    assert "source_system" in spoil(table, clean, DECEMBER, mess, 1).data.column_names
    assert "source_system" not in spoil(table, clean, MAY, mess, 1).data.column_names


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**40), rows=st.integers(0, 60), level=st.sampled_from(sorted(LEVELS)))
def test_no_row_is_lost_and_the_same_seed_gives_the_same(seed: int, rows: int, level: str) -> None:
    table = registry()["order_items"].table
    mess = Mess.of(level, {"late_arrivals": "0.3", "duplicates": "0.3"})
    clean = sample(table, rows)
    first, again = (spoil(table, clean, MAY, mess, seed) for _ in range(2))
    assert first.data.equals(again.data)
    assert first.truth.equals(again.truth)
    ids = first.data["order_item_id"].to_pylist()
    late = first.late["order_item_id"].to_pylist()
    assert sorted(set(ids) | set(late)) == clean["order_item_id"].to_pylist()
    assert not set(ids) & set(late)
    assert ((first.delay >= 1) & (first.delay <= 3)).all()


@pytest.mark.parametrize(
    ("level", "switches", "told"),
    [
        ("some_mess", {}, "messiness-level: 'some_mess' is not known; allowed are none"),
        ("none", {"typo": "0.1"}, "'typo' is not known; allowed are duplicates"),
        ("none", {"typos": "2"}, "typos is a share from 0 to 0.5, not '2'"),
        ("none", {"typos": "x"}, "typos is a share from 0 to 0.5, not 'x'"),
        ("none", {"schema_drift": "0.2"}, "schema_drift is true or false, not '0.2'"),
    ],
)
def test_what_is_not_allowed_is_told(level: str, switches: dict[str, str], told: str) -> None:
    with pytest.raises(UserError, match=told.replace("(", r"\(")):
        Mess.of(level, switches)
