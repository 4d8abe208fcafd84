"""Spoils one partition of a table: a function of seed, table, day and the clean rows alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from retail_datagen.core.arrays import I64
from retail_datagen.core.calendar import month_of
from retail_datagen.core.rng import Stream, integer_weights, lookup
from retail_datagen.quality.mess.cells import (
    LUCK_BITS,
    Texts,
    break_dates,
    erase,
    hit,
    mistype,
    pad,
    placed,
    recase,
)
from retail_datagen.quality.mess.levels import (
    BIASED,
    DATED,
    DRIFT_MONTHS,
    DRIFTED,
    NULLED,
    ORPHANED,
    SPIKE_MONTHS,
    SPIKED,
    STYLED,
    TYPED,
    Mess,
    messy_table,
)
from retail_datagen.quality.mess.truth import Deed, truth_of
from retail_datagen.schema.table import Table

Spoiler = Callable[[Texts, Stream, float], tuple[Texts, I64]]
"""(texts, stream, share) -> the spoilt texts and the rows that are."""
MOST_DAYS_LATE = 3
_NOWHERE = 90_000_000
"""Added to an identifier, it leads nowhere."""
_PLAUSIBLE = {
    "Clothing": {"Does not fit": 8, "Changed mind": 3},
    "Electronics": {"Defective": 8, "Not as described": 3},
    "Books": {"Wrong item": 6, "Arrived damaged": 4},
    "Home": {"Arrived damaged": 7, "Not as described": 3},
    "Toys": {"Changed mind": 6, "Defective": 4},
}
_ANYWHERE = {"Changed mind": 1, "Defective": 1}
"""Weights of the reasons that biased staff write down, by category of what came back."""


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A partition after its mess.

    `data` are the rows that stay, in order, duplicates behind their originals; `late` those that
    arrive `delay` days after (1 to 3): [late rows].
    """

    data: pa.Table
    late: pa.Table
    delay: I64
    truth: pa.Table


def spoil(
    table: Table,
    clean: pa.Table,
    day: int,
    mess: Mess,
    seed: int,
    categories: pa.Array | None = None,
    told: bool = True,
) -> Spoiled:
    """Spoil the rows of a day (0 for tables without days), declared as `table`.

    `categories` are those of what came back, for tables whose reasons may be biased: [rows].
    Unless it is to be `told`, the truth is empty.
    """
    if mess.is_none:
        none = np.zeros(0, dtype=np.int64)
        return Spoiled(clean, clean.slice(0, 0), none, truth_of(table, clean, clean, []))
    work = _Work(table, clean.combine_chunks(), day, mess, seed)
    work.break_dates()
    work.orphan()
    work.spike()
    if categories is not None:
        work.bias(categories)
    work.restyle()
    work.erase()
    work.drift()
    return work.rows(told)


class _Work:
    """One partition while it is being spoilt."""

    def __init__(self, table: Table, clean: pa.Table, day: int, mess: Mess, seed: int) -> None:
        self.table, self.clean, self.messy = table, clean, clean
        self.deeds: list[Deed] = []
        self._day, self._mess, self._seed = day, mess, seed

    def restyle(self) -> None:
        """Typing errors, casing, stray blanks."""
        shares, name = self._mess.shares, self.table.name
        for column in self._of(TYPED, self._mess.typos):
            self._texts(column, "TYPO", mistype, self._mess.typos)
        styled = STYLED.get(name, ()) if shares.whitespace or shares.casing else ()
        for column in styled:
            if column in self.messy.column_names:
                self._texts(column, "CASING", recase, shares.casing)
                self._texts(column, "WHITESPACE", pad, shares.whitespace)

    def break_dates(self) -> None:
        for column in self._of(DATED, self._mess.broken_dates):
            whole = self.messy[column].cast(pa.string())
            self._set(column, whole.combine_chunks())
            self._texts(column, "BROKEN_DATE", break_dates, self._mess.broken_dates)

    def erase(self) -> None:
        share = self._mess.shares.nulls
        for column in self._of(NULLED, share):
            spoilt, rows = erase(self._column(column), self._stream(column, "NULL"), share)
            self._note("NULL", column, rows, spoilt)

    def orphan(self) -> None:
        for column in self._of(ORPHANED, self._mess.orphaned_keys):
            stream = self._stream(column, "ORPHAN")
            everyone = np.ones(self.clean.num_rows, dtype=np.bool_)
            rows = hit(stream, everyone, self._mess.orphaned_keys).rows
            values = self._column(column)
            ids = values.to_numpy(zero_copy_only=False)[rows] + _NOWHERE
            self._note("ORPHAN", column, rows, placed(values, rows, ids))

    def spike(self) -> None:
        column, factor = SPIKED.get(self.table.name, ""), self._mess.shares.spike
        if (
            column not in self.messy.column_names
            or factor == 1
            or month_of(self._day) not in SPIKE_MONTHS
        ):
            return
        values = self._column(column)
        units = values.to_numpy(zero_copy_only=False).astype(np.int64)
        more = units * round(factor * 10) // 10
        rows = np.flatnonzero(more != units)
        self._note("SPIKE", column, rows, placed(values, rows, more[rows]))

    def bias(self, categories: pa.Array) -> None:
        """Reasons of some returns as biased staff would have them, which may be the true one."""
        column, share = BIASED.get(self.table.name, ""), self._mess.shares.reasons
        if column not in self.clean.column_names or not share:
            return
        texts, kinds = Texts.of(self._column(column)), Texts.of(categories)
        hits = hit(self._stream(column, "REASON_BIAS"), texts.codes >= 0, share)
        plausible = [_PLAUSIBLE.get(name, _ANYWHERE) for name in kinds.words.to_pylist()]
        words = list(dict.fromkeys([*texts.words.to_pylist(), *(n for p in plausible for n in p)]))
        kind, fresh = kinds.codes[hits.rows], texts.codes[hits.rows].copy()
        for code, weights in enumerate(plausible):
            here = np.flatnonzero(kind == code)
            number = np.array([words.index(name) for name in weights])
            chances = lookup(integer_weights(list(weights.values())), 8)
            fresh[here] = number[chances[hits.luck[here] >> (LUCK_BITS - 8)]]
        differs = fresh != texts.codes[hits.rows]
        rows = hits.rows[differs]
        codes = texts.codes.copy()
        codes[rows] = fresh[differs]
        self._note(
            "REASON_BIAS",
            column,
            rows,
            Texts(codes, pa.array(words, pa.string())).column(self._type(column)),
        )

    def drift(self) -> None:
        """A column that was not there before."""
        column = DRIFTED.get(self.table.name)
        if not self._mess.schema_drift or column is None or month_of(self._day) not in DRIFT_MONTHS:
            return
        filled = pa.array(["v2"] * self.clean.num_rows, pa.string())
        self.messy = self.messy.append_column(column.name, filled)
        first = np.zeros(min(self.clean.num_rows, 1), dtype=np.int64)
        self.deeds.append(Deed("DRIFT", column.name, first))

    def rows(self, told: bool) -> Spoiled:
        """Duplicates and late rows, once all cells are spoilt, and the truth about all of it."""
        count, everyone = self.clean.num_rows, np.ones(self.clean.num_rows, dtype=np.bool_)
        # Without days, there is none to be late on.
        late = hit(self._stream("", "LATE"), everyone, self._mess.late_arrivals * bool(self._day))
        away, delay = late.rows, 1 + late.below(MOST_DAYS_LATE)
        stays = everyone.copy()
        stays[away] = False
        twice = hit(self._stream("", "DUPLICATE"), stays, self._mess.duplicates).rows
        order = np.sort(np.concatenate([np.flatnonzero(stays), twice]))
        deeds = [*self.deeds, Deed("DUPLICATE", "", twice), Deed("LATE", "", away)]
        truth = truth_of(self.table, self.clean, self.messy, deeds if told else [])
        drifted = self.messy.num_columns > self.clean.num_columns
        schema = messy_table(self.table, self._mess, drifted).arrow
        whole = pa.Table.from_arrays(self.messy.columns, schema=schema)
        data = whole if len(order) == count and not len(twice) else whole.take(pa.array(order))
        return Spoiled(data, whole.take(pa.array(away)), delay, truth)

    def _of(self, columns: Mapping[str, tuple[str, ...]], share: float) -> tuple[str, ...]:
        """The columns of this table that a kind of mess reaches."""
        found = columns.get(self.table.name, ()) if share else ()
        return tuple(name for name in found if name in self.messy.column_names)

    def _texts(self, column: str, kind: str, how: Spoiler, share: float) -> None:
        texts, rows = how(Texts.of(self._column(column)), self._stream(column, kind), share)
        self._note(kind, column, rows, texts.column(self._type(column)))

    def _stream(self, column: str, kind: str) -> Stream:
        return Stream(self._seed, f"mess.{self.table.name}.{column}.{kind}", self._day)

    def _column(self, name: str) -> pa.Array:
        column = self.messy[name]
        return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)

    def _type(self, name: str) -> pa.DataType:
        return self.messy.schema.field(name).type

    def _note(self, kind: str, column: str, rows: I64, spoilt: pa.Array) -> None:
        self.deeds.append(Deed(kind, column, rows))
        self._set(column, spoilt)

    def _set(self, column: str, values: pa.Array) -> None:
        place = self.messy.column_names.index(column)
        self.messy = self.messy.set_column(place, column, values)
