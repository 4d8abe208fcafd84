"""Spoils the cells of one column: only those that are hit are touched, all of them at once.

What happens to a cell follows from the stream and the cell's own row, whatever other rows there
are: a partition's first rows are spoilt alike however many follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from retail_datagen.core.arrays import I64, Bool
from retail_datagen.core.rng import Stream

LUCK_BITS = 16
_BEFORE = ("", " ", " ", "", "  ", "  ", " ")
_BEHIND = (" ", "", " ", "  ", "", "  ", "  ")
_TWO_LETTERS = r"\pL\pL"


@dataclass(frozen=True, slots=True)
class Hits:
    """The rows that are hit, and 16 random bits for each, to decide what becomes of it: [hits]."""

    rows: I64
    luck: I64

    def below(self, bound: int | I64) -> I64:
        """A number in [0, bound) for each hit."""
        return self.luck * bound >> LUCK_BITS


@dataclass(frozen=True, slots=True)
class Texts:
    """A text column as codes into words, each of which is there once; -1 is null: [rows]."""

    codes: I64
    words: pa.Array

    @classmethod
    def of(cls, column: pa.Array) -> Texts:
        encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
        return cls(codes.astype(np.int64), encoded.dictionary)

    def column(self, like: pa.DataType) -> pa.Array:
        """The texts again as such a column: plain, or a dictionary of what occurs."""
        occurs = np.zeros(len(self.words) + 1, dtype=np.bool_)
        occurs[self.codes] = True
        occurs[-1] = False
        codes = (np.cumsum(occurs) - 1)[self.codes].astype(np.int32)
        indices = pa.array(codes, mask=self.codes < 0)
        words = self.words.filter(pa.array(occurs[:-1]))
        made = pa.DictionaryArray.from_arrays(indices, words)
        return made if pa.types.is_dictionary(like) else made.cast(like)

    def at(self, rows: I64) -> pa.Array:
        """The texts of these rows, none of which is null."""
        return self.words.take(pa.array(self.codes[rows]))

    def put(self, rows: I64, texts: pa.Array) -> Texts:
        """With other texts in these rows."""
        codes = self.codes.copy()
        codes[rows] = len(self.words) + np.arange(len(rows))
        # Two ways of spoiling may lead to one text, and a file's dictionary has each word once.
        merged = pa.concat_arrays([self.words, texts]).dictionary_encode()
        place = np.append(merged.indices.to_numpy(zero_copy_only=False).astype(np.int64), -1)
        return Texts(place[codes], merged.dictionary)


def hit(stream: Stream, eligible: Bool, share: float) -> Hits:
    """Which of the eligible rows are hit, each on its own."""
    limit = max(round(share * 2**32), 1) if share else 0
    bits = stream.u32(len(eligible)).astype(np.uint64)
    rows = np.flatnonzero(eligible & (bits < np.uint64(limit)))
    luck = (bits[rows] << np.uint64(LUCK_BITS)) // np.uint64(max(limit, 1))
    return Hits(rows, luck.astype(np.int64))


def recase(texts: Texts, stream: Stream, share: float) -> tuple[Texts, I64]:
    """Upper, lower or title case, whichever changes the text; rows that nothing changes stay."""
    words = texts.words
    forms = [pc.utf8_upper(words), pc.utf8_lower(words), pc.utf8_title(words)]
    same = np.stack([pc.equal(form, words).to_numpy(zero_copy_only=False) for form in forms])
    choices = np.append(3 - same.sum(axis=0), 0)
    hits = hit(stream, choices[texts.codes] > 0, share)
    code = texts.codes[hits.rows]
    useful_first = np.argsort(same, axis=0, kind="stable")
    form = useful_first[hits.below(choices[code]), code]
    cased = pa.concat_arrays(forms).take(pa.array(form * len(words) + code))
    return texts.put(hits.rows, cased), hits.rows


def pad(texts: Texts, stream: Stream, share: float) -> tuple[Texts, I64]:
    """One or two blanks before the text, behind it, or both."""
    hits = hit(stream, texts.codes >= 0, share)
    way = pa.array(hits.below(len(_BEFORE)))
    before, behind = pa.array(_BEFORE).take(way), pa.array(_BEHIND).take(way)
    padded = pc.binary_join_element_wise(before, texts.at(hits.rows), behind, "")
    return texts.put(hits.rows, padded), hits.rows


def mistype(texts: Texts, stream: Stream, share: float) -> tuple[Texts, I64]:
    """Two neighbouring letters that differ, swapped."""
    can = pc.match_substring_regex(texts.words, _TWO_LETTERS).to_numpy(zero_copy_only=False)
    hits = hit(stream, np.append(can, False)[texts.codes], share)
    meant = texts.at(hits.rows).to_pylist()
    typed = [_swapped(text, luck) for text, luck in zip(meant, hits.luck.tolist(), strict=True)]
    differs = np.array([a != b for a, b in zip(meant, typed, strict=True)], dtype=np.bool_)
    return texts.put(hits.rows, pa.array(typed, pa.string())), hits.rows[differs]


def break_dates(texts: Texts, stream: Stream, share: float) -> tuple[Texts, I64]:
    """`2020-01-31 …` as `01/31/2020 …`, `31.01.2020 …`, or a thirtieth of February."""
    hits = hit(stream, texts.codes >= 0, share)
    iso = texts.at(hits.rows)
    year, month, day = (pc.utf8_slice_codeunits(iso, *p) for p in ((0, 4), (5, 7), (8, 10)))
    slashed = pc.binary_join_element_wise(month, day, year, "/")
    dotted = pc.binary_join_element_wise(day, month, year, ".")
    impossible = pc.binary_join_element_wise(year, "02-30", "-")
    broken = pc.choose(pa.array(hits.below(3)), slashed, dotted, impossible)
    rest = pc.utf8_slice_codeunits(iso, 10)
    return texts.put(hits.rows, pc.binary_join_element_wise(broken, rest, "")), hits.rows


def erase(column: pa.Array, stream: Stream, share: float) -> tuple[pa.Array, I64]:
    """Nulls where there was something."""
    rows = hit(stream, pc.is_valid(column).to_numpy(zero_copy_only=False), share).rows
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


def _swapped(text: str, luck: int) -> str:
    """The first two neighbouring letters that differ, from a place of chance on."""
    places = len(text) - 1
    first = luck * places >> LUCK_BITS
    for step in range(places):
        at = (first + step) % places
        a, b = text[at], text[at + 1]
        if a != b and a.isalpha() and b.isalpha():
            return text[:at] + b + a + text[at + 2 :]
    return text
