"""A retailer whose tables are messy: a layer over the clean one, with the truth beside it."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retail_datagen.engine.source import (
    Identity,
    LoadPlan,
    Plan,
    Planner,
    Render,
    Rendered,
    Retailer,
    Source,
)
from retail_datagen.quality.mess import Mess, Spoiled, messy_table, spoil, truth_table
from retail_datagen.quality.mess.levels import BIASED
from retail_datagen.quality.mess.spoil import MOST_DAYS_LATE
from retail_datagen.quality.mess.truth import truth_name

_BIASED_BY = {"returns": ("return_items", "return_id", "category")}
"""Where the categories of what came back stand: (table, column that joins, column)."""
_KEPT = 16


@dataclass(frozen=True, slots=True)
class MessySource:
    """A source whose tables are spoilt; with `truth`, each has a table of what was done to it.

    Late rows that are still under way on a history's last day come once it goes on.
    """

    clean: Source
    mess: Mess
    seed: int
    truth: bool = False

    @property
    def tables(self) -> Mapping[str, Rendered]:
        return _messy(self.clean.tables, self.mess, self.truth)

    @property
    def calendar(self) -> range:
        return self.clean.calendar

    @property
    def rows_per_day(self) -> int:
        return self.clean.rows_per_day

    def open(self) -> MessyRetailer:
        return MessyRetailer(self.clean.open(), self.mess, self.seed, self.truth)


class MessyRetailer:
    """An engine `Retailer` over another, `clean` one."""

    def __init__(self, clean: Retailer, mess: Mess, seed: int, truth: bool) -> None:
        self.clean, self.mess, self.seed = clean, mess, seed
        self.has_truth = truth
        self.tables = _messy(clean.tables, mess, truth)
        self.calendar = clean.calendar
        self.rows_per_day = clean.rows_per_day

    @property
    def source(self) -> Source:
        return MessySource(self.clean.source, self.mess, self.seed, self.has_truth)

    @property
    def identity(self) -> Identity:
        """The clean one's, and what was done to it."""
        clean, settings = self.clean.identity, self.mess.settings()
        told = [f"{k}={v}" for k, v in sorted(settings.items())]
        text = "\n".join([clean.config, f"seed={self.seed}", *told])
        config = hashlib.sha256(text.encode()).hexdigest() if settings else clean.config
        return Identity(clean.version, config, clean.master, {**clean.settings, **settings})

    def planner(self, history_start: int, state: bytes | None) -> Planner:
        return self.clean.planner(history_start, state)

    def read_plan(self, data: bytes) -> Plan:
        return self.clean.read_plan(data)

    def traffic(self, day: int) -> float:
        return self.clean.traffic(day)

    def render(self, history_start: int, load_plan: LoadPlan) -> Render:
        days = _MessyDays(self, history_start, self.clean.render(history_start, load_plan))
        own = {truth_name(name): name for name in self.clean.tables}

        def render(table: str, day: int) -> pa.Table:
            if self.has_truth and table in own:
                return days.spoilt(own[table], day).truth
            return days.rows(table, day)

        return render


class _MessyDays:
    """Spoils days when they are first asked for; the last ones are kept for those that are late."""

    def __init__(self, retailer: MessyRetailer, history_start: int, render: Render) -> None:
        self._retailer, self._start, self._render = retailer, history_start, render
        self._kept: OrderedDict[tuple[str, int], Spoiled] = OrderedDict()

    def rows(self, table: str, day: int) -> pa.Table:
        """What a day's partition holds: its own rows, and those that were late."""
        parts = [self.spoilt(table, day).data]
        if self._retailer.mess.late_arrivals:
            for days in range(1, MOST_DAYS_LATE + 1):
                if day - days >= self._start:
                    before = self.spoilt(table, day - days)
                    arrived = np.flatnonzero(before.delay == days)
                    late = before.late.take(pa.array(arrived))
                    parts.append(_like(late, parts[0].schema))
        return parts[0] if len(parts) == 1 else pa.concat_tables(parts).unify_dictionaries()

    def spoilt(self, table: str, day: int) -> Spoiled:
        """A day of a table after its mess."""
        if (table, day) not in self._kept:
            retailer = self._retailer
            declared = retailer.clean.tables[table].table
            clean = self._render(table, day)
            categories = self._categories(table, day, clean)
            told = retailer.has_truth
            made = spoil(declared, clean, day, retailer.mess, retailer.seed, categories, told)
            self._kept[table, day] = made
            if len(self._kept) > _KEPT * (1 + bool(retailer.mess.late_arrivals) * MOST_DAYS_LATE):
                self._kept.popitem(last=False)
        return self._kept[table, day]

    def _categories(self, table: str, day: int, clean: pa.Table) -> pa.Array | None:
        """The category of each row's first item, where a bias asks for it."""
        if table not in BIASED or not self._retailer.mess.shares.reasons or table not in _BIASED_BY:
            return None
        items, joined, column = _BIASED_BY[table]
        if items not in self._retailer.clean.tables:
            return None
        children = self._render(items, day)
        # Children lie in the order of their parents, each of which has one at least.
        runs = pc.run_end_encode(children[joined].combine_chunks())
        ends = runs.run_ends.to_numpy(zero_copy_only=False)
        first = np.concatenate([[0], ends[:-1]])[: clean.num_rows].astype(np.int64)
        return children[column].take(pa.array(first)).combine_chunks()


def _messy(clean: Mapping[str, Rendered], mess: Mess, truth: bool) -> dict[str, Rendered]:
    back = MOST_DAYS_LATE if mess.late_arrivals else 0
    found = {
        name: replace(
            made,
            table=messy_table(made.table, mess),
            lookback_days=_lookback(clean, name) + back,
            drifted=messy_table(made.table, mess, True) if mess.schema_drift else None,
        )
        for name, made in clean.items()
    }
    if truth:
        found |= {
            truth_name(name): Rendered(truth_table(made.table), _lookback(clean, name))
            for name, made in clean.items()
        }
    return found


def _lookback(clean: Mapping[str, Rendered], name: str) -> int:
    """Earlier days that a table takes, with the one that its bias looks at."""
    others = [clean[other] for other, *_ in [_BIASED_BY.get(name, ("",))] if other in clean]
    return max(made.lookback_days for made in [clean[name], *others])


def _like(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Late rows in the schema of the day on which they arrive: a drifted column comes or goes."""
    columns = [
        rows[field.name]
        if field.name in rows.column_names
        else pa.chunked_array([pa.nulls(rows.num_rows, field.type)])
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)
