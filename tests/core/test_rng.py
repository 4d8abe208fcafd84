"""Streams and integer tables: named, reproducible, in proportion to the unit."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retail_datagen.core.rng import Stream, integer_weights, lookup, mix, slots

weight_lists = st.lists(st.integers(0, 1_000_000), min_size=1, max_size=50).filter(
    lambda w: sum(w) > 0
)
seeds = st.integers(0, 2**63 - 1)


@given(weight_lists, st.integers(1, 1 << 16))
def test_slots_sum_to_the_size_and_follow_the_weights_to_less_than_one_slot(
    weights: list[int], size: int
) -> None:
    found = slots(np.array(weights, dtype=np.int64), size)
    assert found.sum() == size
    total = sum(weights)
    for weight, count in zip(weights, found.tolist(), strict=True):
        # The exact share, without a float: |count - weight * size / total| < 1.
        assert abs(count * total - weight * size) < total
        assert weight or not count


def test_slots_refuse_weights_of_nothing_and_weights_that_overflow() -> None:
    with pytest.raises(ValueError, match="above zero"):
        slots(np.zeros(3, dtype=np.int64), 16)
    with pytest.raises(ValueError, match="above zero"):
        slots(np.zeros(0, dtype=np.int64), 16)
    with pytest.raises(ValueError, match="too large"):
        slots(np.array([2**60], dtype=np.int64), 16)


@given(weight_lists, st.integers(1, 14))
def test_a_lookup_table_holds_each_row_as_often_as_its_slots(weights: list[int], bits: int) -> None:
    table = lookup(np.array(weights, dtype=np.int64), bits)
    assert table.dtype == np.uint16
    assert len(table) == 1 << bits
    assert (np.diff(table.astype(np.int64)) >= 0).all()
    counts = np.bincount(table, minlength=len(weights))
    assert counts.tolist() == slots(np.array(weights, dtype=np.int64), 1 << bits).tolist()


@given(seeds, st.integers(0, 300), st.integers(1, 2**31))
def test_below_stays_below_one_bound(seed: int, n: int, bound: int) -> None:
    drawn = Stream(seed, "test").below(n, bound)
    assert len(drawn) == n
    assert ((drawn >= 0) & (drawn < bound)).all()


@given(seeds, st.lists(st.integers(1, 2**31), max_size=100))
def test_below_stays_below_each_bound(seed: int, bounds: list[int]) -> None:
    drawn = Stream(seed, "test").below(len(bounds), np.array(bounds, dtype=np.int64))
    assert all(0 <= d < b for d, b in zip(drawn.tolist(), bounds, strict=True))


def test_below_is_uniform() -> None:
    counts = np.bincount(Stream(3, "uniform").below(70_000, 7), minlength=7)
    # Six degrees of freedom; 22.5 is passed once in a thousand seeds, and this seed is fixed.
    assert ((counts - 10_000) ** 2 / 10_000).sum() < 22.5


@given(seeds, st.integers(0, 500))
def test_a_permutation_holds_every_number_once(seed: int, n: int) -> None:
    assert sorted(Stream(seed, "test").permutation(n).tolist()) == list(range(n))


def test_permutations_differ_and_reach_every_order() -> None:
    orders = {tuple(Stream(seed, "test").permutation(3).tolist()) for seed in range(100)}
    assert len(orders) == 6


def test_a_permutation_of_too_many_is_refused() -> None:
    with pytest.raises(ValueError, match=r"2\*\*24"):
        Stream(1, "test").permutation(1 << 24)


@given(seeds, st.integers(0, 40), st.integers(0, 40))
def test_a_longer_draw_begins_with_the_shorter_one(seed: int, few: int, more: int) -> None:
    longer = Stream(seed, "test", 7).u64(few + more)
    assert longer[:few].tolist() == Stream(seed, "test", 7).u64(few).tolist()


@given(st.integers(0, 100))
def test_narrow_draws_are_the_same_bits_in_pieces(n: int) -> None:
    wide = Stream(5, "test").u64(n)
    for width, pieces in (("u32", 2), ("u16", 4), ("u8", 8)):
        narrow = getattr(Stream(5, "test"), width)(n * pieces)
        assert narrow.tolist() == wide.view(narrow.dtype).tolist()


def test_streams_differ_by_seed_by_name_and_by_day() -> None:
    keys = [(1, "a", 0), (2, "a", 0), (1, "b", 0), (1, "a", 1), (1, "a|1", 0), (11, "a", 0)]
    first = {int(Stream(*key).u64(1)[0]) for key in keys}
    assert len(first) == len(keys)


def test_the_bits_of_a_stream_are_fixed_for_ever() -> None:
    """Every history depends on these; Philox and blake2b are specified, so they cannot change."""
    assert Stream(42, "golden", 19_723).u64(3).tolist() == [
        11_335_010_270_579_378_235,
        184_324_596_834_250_490,
        12_902_728_129_656_661_851,
    ]


@settings(max_examples=30)
@given(st.lists(st.integers(0, 2**40), unique=True, max_size=200), st.integers(0, 100))
def test_mixed_values_differ_where_values_do(values: list[int], salt: int) -> None:
    mixed = mix(np.array(values, dtype=np.int64), salt)
    assert len(set(mixed.tolist())) == len(values)


def test_mixed_bits_are_balanced() -> None:
    mixed = mix(np.arange(4096), salt=1)
    for bit in range(64):
        ones = int(((mixed >> np.uint64(bit)) & np.uint64(1)).sum())
        assert abs(ones - 2048) < 6 * 32


@given(st.lists(st.floats(0, 1000, allow_nan=False), max_size=20))
def test_integer_weights_are_rounded_not_cut(weights: list[float]) -> None:
    found = integer_weights(weights, 1000)
    assert all(abs(i - w * 1000) <= 0.5 for i, w in zip(found.tolist(), weights, strict=True))


def test_a_stream_is_the_same_in_another_process() -> None:
    code = "from retail_datagen.core.rng import Stream; print(Stream(9, 'x', 3).u64(4).tolist())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == str(Stream(9, "x", 3).u64(4).tolist())
