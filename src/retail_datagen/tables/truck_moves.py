"""Truck moves: every status of every shipment from DC to store."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from retail_datagen.core.arrays import Ints
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema.arrays import batch, category
from retail_datagen.tables.base import FactTable, time_column, trace_column
from retail_datagen.tables.context import Day
from retail_datagen.tables.names import daily, traces

STATUSES = ("SCHEDULED", "LOADING", "IN_TRANSIT", "ARRIVED", "UNLOADING", "COMPLETED")
TABLE = Table(
    name="truck_moves",
    doc="One row per status of a shipment, in the order SCHEDULED … COMPLETED.",
    columns=(
        trace_column(
            "Joins a shipment with its OUTBOUND_SHIPMENT and INBOUND_SHIPMENT movements.",
            sequential=False,
        ),
        time_column("When the status began."),
        Column(
            "TruckId", Kind.CATEGORY, "The truck.", references="trucks.TruckId", example="TRK1001"
        ),
        Column("DCID", Kind.INT, "From.", references="distribution_centers.DCID", example="1"),
        Column("StoreID", Kind.INT, "To.", references="stores.StoreID", example="15"),
        Column(
            "ShipmentId", Kind.TEXT, "SHIP, date, number of that day.", example="SHIP20240101000001"
        ),
        Column(
            "Status",
            Kind.CATEGORY,
            "Where the shipment stands.",
            words=STATUSES,
            example="SCHEDULED",
        ),
        Column("ETA", Kind.TIMESTAMP, "Expected arrival at the store."),
        Column("ETD", Kind.TIMESTAMP, "Expected departure from the store, emptied."),
    ),
    key=("ShipmentId", "Status"),
)


def render(day: Day) -> pa.Table:
    shipments = day.plan.shipments
    times = np.concatenate(
        [
            shipments.scheduled,
            shipments.loading,
            shipments.departed,
            shipments.arrived,
            shipments.unloading,
            shipments.completed,
        ]
    )
    status: Ints = np.repeat(np.arange(len(STATUSES)), len(shipments))
    shipment: Ints = np.tile(np.arange(len(shipments)), len(STATUSES))
    order = np.lexsort((shipment, status, times))
    status, shipment = status[order], shipment[order]
    return batch(
        TABLE,
        {
            "TraceId": traces(day.traces.shipments + shipment),
            "EventTS": day.timestamps(times[order]),
            "TruckId": category(shipments.truck[shipment], day.world.trucks.truck_id),
            "DCID": day.world.dcs.dc_id[shipments.dc[shipment]],
            "StoreID": day.world.stores.store_id[shipments.store[shipment]],
            "ShipmentId": daily("SHIP", day.number, shipment + 1),
            "Status": category(status, STATUSES),
            "ETA": day.timestamps(shipments.arrived[shipment]),
            "ETD": day.timestamps(shipments.completed[shipment]),
        },
    )


FACTS = FactTable(TABLE, render)
