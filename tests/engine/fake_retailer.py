"""A retailer of two small tables, with state from day to day, for tests of the engine alone."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from retail_datagen.config.errors import UserError
from retail_datagen.core.calendar import to_day
from retail_datagen.engine.source import Identity, LoadPlan, Plan, Planner, Render, Rendered
from retail_datagen.schema import Column, Kind, Table

START = to_day(date(2024, 1, 1))
RECEIPTS = Table(
    "receipts",
    "",
    (
        Column("ReceiptId", Kind.TEXT, ""),
        Column("EventTS", Kind.TIMESTAMP, ""),
        Column("Total", Kind.MONEY, ""),
        Column("TenderType", Kind.CATEGORY, ""),
    ),
    ("ReceiptId",),
)
RETURNS = Table(
    "returns", "", (Column("Line", Kind.LONG, ""), Column("Stock", Kind.LONG, "")), ("Line",)
)


@dataclass(frozen=True)
class FakePlan:
    day: int
    stock: int
    first_row: int
    rows: int

    def to_bytes(self) -> bytes:
        values = (self.day, self.stock, self.first_row, self.rows)
        return np.array(values, dtype="<i8").tobytes()


class FakePlanner:
    """Stock drifts and rows are numbered over the whole history, so that order matters."""

    def __init__(self, seed: int, rows: int, pause: float, day: int) -> None:
        self._values = np.array([day, 1000 + seed, 0], dtype="<i8")
        self._rows = rows
        self._pause = pause

    @property
    def next_day(self) -> int:
        return int(self._values[0])

    def step(self) -> FakePlan:
        time.sleep(self._pause)
        day, stock, first = (int(v) for v in self._values)
        rows = self._rows + stock % 7
        self._values[:] = day + 1, (stock * 31 + day) % 10_007, first + rows
        return FakePlan(day, stock, first, rows)

    def save(self) -> bytes:
        return self._values.tobytes()

    def restore(self, state: bytes) -> FakePlanner:
        self._values = np.frombuffer(state, dtype="<i8").copy()
        return self


@dataclass(frozen=True)
class FakeRetailer:
    source: FakeSource

    @property
    def rows_per_day(self) -> int:
        return self.source.rows_per_day

    @property
    def identity(self) -> Identity:
        seed = str(self.source.seed)
        return Identity(self.source.version, f"config-{seed}", self.source.master, {"seed": seed})

    @property
    def tables(self) -> Mapping[str, Rendered]:
        return self.source.tables

    @property
    def calendar(self) -> range:
        return self.source.calendar

    def planner(self, history_start: int, state: bytes | None) -> Planner:
        s = self.source
        planner = FakePlanner(s.seed, s.rows, s.plan_pause, history_start)
        return planner if state is None else planner.restore(state)

    def read_plan(self, data: bytes) -> Plan:
        day, stock, first, rows = np.frombuffer(data, dtype="<i8").tolist()
        return FakePlan(day, stock, first, rows)

    def render(self, history_start: int, load_plan: LoadPlan) -> Render:
        def render(table: str, day: int) -> pa.Table:
            time.sleep(self.source.render_pause)
            self.source.misbehave(day)
            plan = load_plan(day)
            assert isinstance(plan, FakePlan)
            if table == "receipts":
                return _receipts(plan)
            window = [load_plan(d) for d in range(max(history_start, day - 2), day + 1)]
            stocks = [p.stock for p in window if isinstance(p, FakePlan)]
            return pa.table(
                {"Line": pa.array(range(len(stocks))), "Stock": pa.array(stocks, pa.int64())}
            )

        return render

    def traffic(self, day: int) -> float:
        return 1.0


def wait_for(file: Path | None) -> None:
    """Until the file exists; a minute at most."""
    deadline = time.monotonic() + 60
    while file and not file.exists():
        assert time.monotonic() < deadline, f"{file} never came"
        time.sleep(0.01)


def _receipts(plan: FakePlan) -> pa.Table:
    ids = np.arange(plan.first_row, plan.first_row + plan.rows)
    cents = (ids * 7919 + plan.stock) % 5000
    money = pa.Array.from_buffers(
        pa.decimal64(12, 2), plan.rows, [None, pa.py_buffer(cents.astype(np.int64))]
    )
    seconds = plan.day * 86_400 + np.sort(cents) * 17
    return pa.table(
        {
            "ReceiptId": pa.array([f"RCP{i:09d}" for i in ids]),
            "EventTS": pa.array(seconds).cast(pa.timestamp("s")),
            "Total": money,
            "TenderType": pa.DictionaryArray.from_arrays(
                pa.array((ids % 2).astype(np.int32)), pa.array(["CASH", "CARD"])
            ),
        }
    )


@dataclass(frozen=True)
class FakeSource:
    """`bad_day` is the day on which rendering goes wrong, in the way that `fault` says.

    A fault happens once: that the file `once` exists shows that it has happened. The process
    `home` does not render before that, so that a fault is left to workers.
    """

    seed: int = 1
    version: str = "1.0"
    master: str = "m" * 64
    rows: int = 50
    plan_pause: float = 0.0
    render_pause: float = 0.0
    bad_day: int = -1
    fault: str = ""
    home: int = 0
    once: Path | None = None

    @property
    def tables(self) -> Mapping[str, Rendered]:
        return {"receipts": Rendered(RECEIPTS, 0), "returns": Rendered(RETURNS, 2)}

    @property
    def calendar(self) -> range:
        return range(START, START + 4000)

    @property
    def rows_per_day(self) -> int:
        return self.rows

    def open(self) -> FakeRetailer:
        return FakeRetailer(self)

    def misbehave(self, day: int) -> None:
        if self.fault and os.getpid() == self.home:
            wait_for(self.once)
        if day != self.bad_day or self.once is None or self.once.exists():
            return
        self.once.touch()
        match self.fault:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "user":
                raise UserError("the day is cursed")
            case "bug":
                raise ZeroDivisionError("a mistake of ours")
            case "print":
                print("a stray word")
                os.write(1, b"another\n")
