"""What a target remembers of a day: ranges of rows, merged and complemented."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from retail_datagen.sinks import PartitionRecord, Progress
from retail_datagen.sinks.progress import complement, merged

ranges = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12)


def rows_in(pairs: object) -> set[int]:
    return {row for first, end in pairs for row in range(first, end)}  # type: ignore[attr-defined]


@given(ranges)
def test_merged_ranges_hold_the_same_rows_and_never_touch(pairs: list[tuple[int, int]]) -> None:
    found = merged(pairs)
    assert rows_in(found) == rows_in(pairs)
    assert all(end < first for (_, end), (first, _) in pairwise(found))


@given(ranges, st.integers(60, 80))
def test_what_is_lacking_is_what_is_not_held(pairs: list[tuple[int, int]], rows: int) -> None:
    held = merged(pairs)
    assert rows_in(complement(held, rows)) == set(range(rows)) - rows_in(held)


@given(st.lists(st.integers(1, 9), max_size=9))
def test_rows_sent_one_after_the_other_are_one_range(sizes: list[int]) -> None:
    progress = Progress("receipts", 19_000)
    for end, size in zip(_sums(sizes), sizes, strict=True):
        progress = progress.plus(end - size, end)
    assert progress.held == (((0, sum(sizes)),) if sizes else ())
    assert progress.lacks(sum(sizes) + 2) == ((sum(sizes), sum(sizes) + 2),)


def test_progress_is_read_as_it_was_written() -> None:
    record = PartitionRecord("receipts", 19_723, "receipts", 5, 120, "ab")
    for progress in (
        Progress("receipts", 19_723),
        Progress("receipts", 19_723, ((0, 3), (4, 5))),
        Progress("receipts", 19_723, ((0, 5),), record),
    ):
        assert Progress.from_json(progress.to_json()) == progress
    assert Progress("receipts", 19_723, (), record).lacks(5) == ()


def _sums(sizes: list[int]) -> list[int]:
    return [sum(sizes[: i + 1]) for i in range(len(sizes))]
