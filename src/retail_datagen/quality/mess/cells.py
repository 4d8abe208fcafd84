"""Spoils the cells of one column: texts by their distinct values, never row by row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from retail_datagen.core.rng import Stream

I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]
_PADS = ((" ", ""), ("", " "), (" ", " "), ("  ", ""), ("", "  "), ("  ", "  "), (" ", "  "))


@dataclass(frozen=True, slots=True)
class Texts:
    """A text column as codes into distinct words; -1 is null: [rows]."""

    codes: I64
    words: tuple[str, ...]

    @classmethod
    def of(cls, column: pa.Array) -> Texts:
        encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
        return cls(codes.astype(np.int64), tuple(encoded.dictionary.to_pylist()))

    def column(self, like: pa.DataType) -> pa.Array:
        """The texts again as such a column: plain, or a dictionary of what occurs."""
        there = self.codes >= 0
        occurs = np.zeros(len(self.words), dtype=np.bool_)
        occurs[self.codes[there]] = True
        place = np.cumsum(occurs) - 1
        words = pa.array([self.words[code] for code in np.flatnonzero(occurs)], pa.string())
        codes = place[np.where(there, self.codes, 0)] if len(place) else self.codes
        indices = pa.array(codes.astype(np.int32), mask=~there)
        made = pa.DictionaryArray.from_arrays(indices, words)
        return made if pa.types.is_dictionary(like) else made.cast(like)

    def changed(self, rows: I64, variant: I64, variants: int, how: Variation) -> Texts:
        """With the variant of each of these rows' texts in place of it."""
        pairs, place = np.unique(self.codes[rows] * variants + variant, return_inverse=True)
        fresh = [how(self.words[pair // variants], int(pair % variants)) for pair in pairs]
        codes = self.codes.copy()
        codes[rows] = len(self.words) + place
        return Texts(codes, (*self.words, *fresh))


Variation = Callable[[str, int], str]
"""(text, number of the variant) -> another text."""


def hit(stream: Stream, eligible: Bool, share: float) -> I64:
    """Which of the eligible rows are hit, each on its own."""
    bits = stream.u32(len(eligible))
    return np.flatnonzero(eligible & (bits < np.uint32(min(round(share * 2**32), 2**32 - 1))))


def recase(texts: Texts, stream: Stream, share: float) -> tuple[Texts, I64]:
    """Upper, lower or title case, whichever changes the text; rows that nothing changes stay."""
    count, table = _casings(texts.words)
    rows = hit(stream, count[texts.codes] > 0, share)
    code = texts.codes[rows]
    form = table[code, stream.below(len(rows), np.maximum(count[code], 1))]
    return texts.changed(rows, form, 3, _cased), rows


def pad(texts: Texts, stream: Stream, share: float) -> tuple[Texts, I64]:
    """One or two blanks before the text, behind it, or both."""
    rows = hit(stream, texts.codes >= 0, share)
    variant = stream.below(len(rows), len(_PADS))
    return texts.changed(rows, variant, len(_PADS), _padded), rows


def mistype(texts: Texts, stream: Stream, share: float) -> tuple[Texts, I64]:
    """Two neighbouring letters that differ, swapped."""
    can = np.array([bool(_swaps(word)) for word in texts.words] + [False])
    rows = hit(stream, can[texts.codes], share)
    return texts.changed(rows, stream.below(len(rows), 64), 64, _swapped), rows


def break_dates(texts: Texts, stream: Stream, share: float) -> tuple[Texts, I64]:
    """ISO dates in other orders, or that no calendar has."""
    rows = hit(stream, texts.codes >= 0, share)
    return texts.changed(rows, stream.below(len(rows), 3), 3, _broken), rows


def erase(column: pa.Array, stream: Stream, share: float) -> tuple[pa.Array, I64]:
    """Nulls where there was something."""
    there = pc.is_valid(column).to_numpy(zero_copy_only=False)
    rows = hit(stream, there, share)
    keep = np.ones(len(column), dtype=np.bool_)
    keep[rows] = False
    return pc.if_else(pa.array(keep), column, pa.scalar(None, column.type)), rows


def as_texts(column: pa.Array) -> pa.Array:
    """Any column as people read it."""
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column.cast(pa.string())


def placed(column: pa.Array, rows: I64, values: NDArray[Any]) -> pa.Array:
    """A column of integers with other values in some rows."""
    changed = column.to_numpy(zero_copy_only=False).copy()
    changed[rows] = values
    return pa.array(changed, column.type)


@lru_cache(maxsize=32)
def _casings(words: tuple[str, ...]) -> tuple[I64, I64]:
    """How many forms change each word, and which: [words + 1], [words + 1, 3]; the last is null."""
    options = [[form for form in range(3) if _cased(w, form) != w] for w in words]
    count = np.array([len(forms) for forms in options] + [0], dtype=np.int64)
    table = np.zeros((len(options) + 1, 3), dtype=np.int64)
    for row, forms in enumerate(options):
        table[row, : len(forms)] = forms
    return count, table


def _cased(text: str, form: int) -> str:
    return (text.upper(), text.lower(), text.title())[form]


def _padded(text: str, variant: int) -> str:
    before, behind = _PADS[variant]
    return f"{before}{text}{behind}"


def _swaps(text: str) -> list[int]:
    return [
        i
        for i in range(len(text) - 1)
        if text[i].isalpha() and text[i + 1].isalpha() and text[i] != text[i + 1]
    ]


def _swapped(text: str, variant: int) -> str:
    places = _swaps(text)
    at = places[variant % len(places)]
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _broken(text: str, variant: int) -> str:
    """`2020-01-31 …` as `01/31/2020 …`, `31.01.2020 …`, or a thirtieth of February."""
    year, month, day, rest = text[:4], text[5:7], text[8:10], text[10:]
    forms = (f"{month}/{day}/{year}", f"{day}.{month}.{year}", f"{year}-02-30")
    return forms[variant] + rest
