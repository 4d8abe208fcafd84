"""Settles a day's demand against stock: what is not there is not sold.

Nearly every (place, product) cell holds enough for its whole day. Only the others, the suspect
cells, are walked event by event, in rounds: round k takes the k-th event of every suspect cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from retail_datagen.core.arrays import I32, I64


class Turn(IntEnum):
    """Who comes first among events of one second in one cell."""

    INFLOW = 0
    SHRINK = 1
    SALE = 2
    ONLINE = 3


@dataclass(frozen=True, slots=True)
class Flow:
    """Stock events of one kind: [events], in an order that breaks ties of time.

    `cell` is place x products + product; `second` is that of the day; `units` is positive.
    """

    turn: Turn
    cell: I64
    units: I32
    second: I32


@dataclass(frozen=True, slots=True)
class Loss:
    """Outflows of one flow that met too little stock: [losses] row of the flow, units left."""

    row: I64
    on_hand: I32


def settle(stock: I32, inflow: Flow, outflows: list[Flow]) -> list[Loss]:
    """Moves `stock` (units per cell, changed in place) through the day; one Loss per outflow.

    An outflow happens whole or, where the cell holds fewer units at that second, not at all.
    """
    for flow in outflows:
        np.subtract.at(stock, flow.cell, flow.units)
    short = [np.flatnonzero(stock.take(flow.cell) < 0) for flow in outflows]
    cells = np.unique(np.concatenate([f.cell[s] for f, s in zip(outflows, short, strict=True)]))
    if not len(cells):
        np.add.at(stock, inflow.cell, inflow.units)
        return [_no_loss() for _ in outflows]
    for flow, rows in zip(outflows, short, strict=True):
        np.add.at(stock, flow.cell[rows], flow.units[rows])
    suspect_inflow = np.isin(inflow.cell, cells, kind="table")
    calm = ~suspect_inflow
    np.add.at(stock, inflow.cell[calm], inflow.units[calm])
    flows = [inflow, *outflows]
    rows_of = [np.flatnonzero(suspect_inflow), *short]
    return _walk(stock, cells, flows, rows_of)


def _walk(stock: I32, cells: I64, flows: list[Flow], rows_of: list[I64]) -> list[Loss]:
    """Settles the suspect `cells` event by event; `rows_of` are their events in each flow."""
    flow_of = np.repeat(np.arange(len(flows)), [len(r) for r in rows_of])
    row = np.concatenate(rows_of)
    cell = np.concatenate([f.cell[r] for f, r in zip(flows, rows_of, strict=True)])
    units = np.concatenate([f.units[r] for f, r in zip(flows, rows_of, strict=True)])
    second = np.concatenate([f.second[r] for f, r in zip(flows, rows_of, strict=True)])
    turn = np.array([f.turn for f in flows])[flow_of]
    place = np.searchsorted(cells, cell)
    order = np.lexsort((row, flow_of, turn, second, place))
    place, flow_of, row, units = place[order], flow_of[order], row[order], units[order]
    signed = np.where(flow_of == 0, units, -units)
    counts = np.bincount(place, minlength=len(cells))
    first = np.cumsum(counts) - counts
    on_hand = stock[cells]
    lost = np.zeros(len(row), dtype=np.bool_)
    left = np.zeros(len(row), dtype=np.int32)
    busy = np.arange(len(cells))
    for turn_number in range(int(counts.max())):
        busy = busy[counts[busy] > turn_number]
        event = first[busy] + turn_number
        after = on_hand[busy] + signed[event]
        refused = after < 0
        lost[event] = refused
        left[event] = on_hand[busy]
        on_hand[busy] = np.where(refused, on_hand[busy], after)
    stock[cells] = on_hand
    losses = []
    for number in range(1, len(flows)):
        mine = np.flatnonzero(lost & (flow_of == number))
        mine = mine[np.argsort(row[mine], kind="stable")]
        losses.append(Loss(row[mine], left[mine]))
    return losses


def _no_loss() -> Loss:
    return Loss(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32))
