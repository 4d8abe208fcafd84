"""Checks of replenishment: reorders, shipments, trucks and what DCs can ship."""

from __future__ import annotations

from itertools import pairwise

from retail_datagen.quality.check import Check, Helper
from retail_datagen.tables.truck_moves import STATUSES

_TIMES = ", ".join(
    f"min(EventTS) FILTER (Status = '{status}') AS {status.lower()}" for status in STATUSES
)
_IN_ORDER = " AND ".join(f"{one.lower()} <= {other.lower()}" for one, other in pairwise(STATUSES))

HELPERS = (
    Helper(
        "trips",
        ("truck_moves",),
        # Most of its rows say whose it is, so that one wrong row is one violation.
        f"""
        SELECT trace, min(dt) AS dt, mode(ShipmentId) AS ShipmentId, mode(TruckId) AS TruckId,
            mode(DCID) AS DCID, mode(StoreID) AS StoreID, count(*) AS rows, {_TIMES}
        FROM truck_moves GROUP BY trace
        """,
    ),
)

CHECKS = (
    Check(
        "truck_moves.order",
        f"a shipment goes through {', '.join(STATUSES)}, each once, in order of time",
        ("truck_moves", "trips"),
        f"""
        SELECT ShipmentId, rows, {", ".join(s.lower() for s in STATUSES)} FROM trips
        WHERE rows <> {len(STATUSES)} OR ({_IN_ORDER}) IS NOT TRUE
        """,
    ),
    Check(
        "truck_moves.same",
        "the rows of a shipment agree in truck, DC, store and TraceId",
        ("truck_moves",),
        """
        SELECT ShipmentId, count(DISTINCT trace) AS traces, count(DISTINCT TruckId) AS trucks,
            count(DISTINCT DCID) AS dcs, count(DISTINCT StoreID) AS stores
        FROM truck_moves GROUP BY ShipmentId
        HAVING greatest(traces, trucks, dcs, stores) > 1
        """,
    ),
    Check(
        "truck_moves.expected",
        "ETA is when the truck has ARRIVED, ETD when it is COMPLETED",
        ("truck_moves", "trips"),
        """
        SELECT m.EventTS, m.ShipmentId, Status, ETA, arrived, ETD, completed
        FROM truck_moves m JOIN trips USING (trace) WHERE ETA <> arrived OR ETD <> completed
        """,
    ),
    Check(
        "truck_moves.overlap",
        "no truck is on two trips at once",
        ("truck_moves", "trips"),
        """
        SELECT TruckId, ShipmentId, scheduled, earlier AS "earlier shipment",
            until AS "earlier one completed"
        FROM (
            SELECT *, lag(completed) OVER trip AS until, lag(ShipmentId) OVER trip AS earlier
            FROM trips WINDOW trip AS (PARTITION BY TruckId ORDER BY scheduled, trace)
        ) WHERE scheduled < until
        """,
    ),
    Check(
        "truck_moves.home",
        "trucks drive from their DC to the stores that it serves",
        ("truck_moves", "trips", "trucks", "stores"),
        """
        SELECT ShipmentId, TruckId, p.DCID, k.DCID AS "truck's DCID", p.StoreID,
            s.DCID AS "store's DCID"
        FROM trips p JOIN trucks k USING (TruckId) JOIN stores s ON s.StoreID = p.StoreID
        WHERE p.DCID <> k.DCID OR p.DCID <> s.DCID
        """,
    ),
    Check(
        "truck_moves.capacity",
        "a shipment fits its truck",
        ("truck_moves", "trips", "dc_inventory_txn", "trucks"),
        """
        SELECT ShipmentId, TruckId, -sum(QtyDelta) AS units, Capacity
        FROM dc_inventory_txn m JOIN trips USING (trace) JOIN trucks USING (TruckId)
        WHERE Reason = 'OUTBOUND_SHIPMENT'
        GROUP BY ShipmentId, TruckId, Capacity HAVING -sum(QtyDelta) > Capacity
        """,
    ),
    Check(
        "truck_moves.refrigerated",
        "refrigerated products travel in refrigerated trucks",
        ("dc_inventory_txn", "trips", "trucks", "products"),
        """
        SELECT ShipmentId, TruckId, ProductID, QtyDelta
        FROM dc_inventory_txn m JOIN trips USING (trace) JOIN trucks k USING (TruckId)
            JOIN products p USING (ProductID)
        WHERE Reason = 'OUTBOUND_SHIPMENT' AND p.Refrigerated AND NOT k.Refrigerated
        """,
    ),
    Check(
        "truck_moves.loading",
        "every shipment leaves its DC when it is LOADING",
        ("dc_inventory_txn", "trips"),
        """
        SELECT coalesce(ShipmentId, TraceId) AS shipment, m.EventTS, loading, m.DCID,
            t.DCID AS "shipment's DCID"
        FROM (SELECT * FROM dc_inventory_txn WHERE Reason = 'OUTBOUND_SHIPMENT') m
            FULL JOIN (SELECT * FROM trips WHERE dt IN (SELECT dt FROM days)) t
                ON m.trace = t.trace
        WHERE m.EventTS IS DISTINCT FROM loading OR m.DCID IS DISTINCT FROM t.DCID
        """,
    ),
    Check(
        "truck_moves.unloading",
        "every shipment is booked in at its store when it is COMPLETED, its truck the Source",
        ("store_inventory_txn", "trips"),
        """
        SELECT coalesce(ShipmentId, TraceId) AS shipment, m.EventTS, completed, m.StoreID,
            t.StoreID AS "shipment's StoreID", Source, TruckId
        FROM (SELECT * FROM store_inventory_txn WHERE Reason = 'INBOUND_SHIPMENT') m
            FULL JOIN (SELECT * FROM trips WHERE dt IN (SELECT dt FROM days)) t
                ON m.trace = t.trace
        WHERE m.EventTS IS DISTINCT FROM completed OR m.StoreID IS DISTINCT FROM t.StoreID
            OR Source IS DISTINCT FROM TruckId
        """,
    ),
    Check(
        "truck_moves.units",
        "what leaves the DC arrives at the store, product by product",
        ("dc_inventory_txn", "store_inventory_txn"),
        """
        SELECT format('TRC{:010d}', trace) AS TraceId, ProductID,
            sum(shipped) AS "units shipped", sum(arrived) AS "units arrived"
        FROM (
            SELECT trace, ProductID, -QtyDelta AS shipped, 0 AS arrived FROM dc_inventory_txn
            WHERE Reason = 'OUTBOUND_SHIPMENT'
            UNION ALL
            SELECT trace, ProductID, 0, QtyDelta FROM store_inventory_txn
            WHERE Reason = 'INBOUND_SHIPMENT'
        ) GROUP BY trace, ProductID HAVING sum(shipped) <> sum(arrived)
        """,
    ),
    Check(
        "dc_inventory_txn.throughput",
        "a DC ships no more units a day than its Throughput",
        ("dc_inventory_txn", "distribution_centers"),
        """
        SELECT dt, DCID, -sum(QtyDelta) AS units, Throughput
        FROM dc_inventory_txn JOIN distribution_centers USING (DCID)
        WHERE Reason = 'OUTBOUND_SHIPMENT'
        GROUP BY dt, DCID, Throughput HAVING -sum(QtyDelta) > Throughput
        """,
    ),
    Check(
        "reorders.dc",
        "stores order from their DC, at the day's last second",
        ("reorders", "stores"),
        """
        SELECT EventTS, TraceId, r.StoreID, r.DCID, s.DCID AS "store's DCID"
        FROM reorders r JOIN stores s USING (StoreID)
        WHERE r.DCID <> s.DCID OR EventTS <> dt + INTERVAL 1 DAY - INTERVAL 1 SECOND
        """,
    ),
    Check(
        "reorders.quantity",
        "orders are due (0 ≤ OnHand ≤ ReorderPoint) and in whole case packs",
        ("reorders", "products"),
        """
        SELECT EventTS, TraceId, StoreID, ProductID, OnHand, ReorderPoint, OrderQty, Pack
        FROM reorders JOIN products USING (ProductID)
        WHERE OnHand NOT BETWEEN 0 AND ReorderPoint OR OrderQty < 1 OR OrderQty % Pack <> 0
        """,
    ),
    Check(
        "reorders.priority",
        "URGENT is empty, HIGH is below half the reorder point, the rest is NORMAL",
        ("reorders",),
        """
        SELECT EventTS, TraceId, StoreID, ProductID, OnHand, ReorderPoint, Priority FROM reorders
        WHERE Priority <> CASE WHEN OnHand = 0 THEN 'URGENT'
            WHEN 2 * OnHand < ReorderPoint THEN 'HIGH' ELSE 'NORMAL' END
        """,
    ),
    Check(
        "reorders.shipped",
        "no more is shipped to a store than it ordered before",
        ("reorders", "store_inventory_txn"),
        """
        SELECT EventTS, StoreID, ProductID, units AS "units shipped",
            ordered AS "units ordered, not shipped" FROM (
            SELECT *, sum(units) OVER (PARTITION BY StoreID, ProductID ORDER BY EventTS
                ROWS UNBOUNDED PRECEDING) AS ordered
            FROM (
                SELECT EventTS, StoreID, ProductID, OrderQty AS units FROM reorders
                UNION ALL
                SELECT EventTS, StoreID, ProductID, -QtyDelta FROM store_inventory_txn
                WHERE Reason = 'INBOUND_SHIPMENT'
            )
        ) WHERE ordered < 0
        """,
        whole=("reorders", "store_inventory_txn"),
    ),
)
