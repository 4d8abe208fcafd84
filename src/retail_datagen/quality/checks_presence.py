"""Checks of who is where and when: opening hours, sensors, beacons and marketing."""

from __future__ import annotations

from retail_datagen.quality.check import Check, Helper

HELPERS = (
    Helper(
        "opening_hours",
        ("stores", "calendar"),
        # On days that the calendar does not know, stores are open as usual.
        """
        SELECT StoreID, d.dt, coalesce(round(TrafficFactor * 1000000) > 0, true) AS open,
            d.dt + to_hours(greatest(OpenHour - coalesce(OpensEarlier, 0), 0)) AS opens,
            d.dt + to_hours(least(CloseHour + coalesce(ClosesLater, 0), 24)) AS closes
        FROM stores, (SELECT DISTINCT dt FROM main.days) d LEFT JOIN calendar ON "Date" = d.dt
        """,
    ),
    Helper(
        "phone_days",
        ("ble_pings",),
        """
        SELECT CustomerBLEId, StoreID, dt, arg_min(Zone, (EventTS, trace)) AS first_zone,
            arg_min(EventTS, (EventTS, trace)) AS came, count(*) AS pings,
            max(EventTS) FILTER (Zone = 'CHECKOUT') AS paid
        FROM ble_pings GROUP BY CustomerBLEId, StoreID, dt
        """,
    ),
)
_HOURS = """
SELECT EventTS, TraceId, StoreID, open, opens, closes
FROM {table} t JOIN opening_hours USING (StoreID, dt)
WHERE NOT open OR EventTS < opens OR EventTS > closes
"""
_MATCHES = """
SELECT t.EventTS, t.TraceId, t.StoreID, t.Zone, t.{key}, m.StoreID AS "{what}'s StoreID",
    m.Zone AS "{what}'s Zone"
FROM {table} t JOIN {master} m USING ({key}) WHERE t.StoreID <> m.StoreID OR t.Zone <> m.Zone
"""


def _hours(table: str) -> Check:
    return Check(
        f"{table}.hours",
        "nothing happens while the store is closed",
        (table, "opening_hours"),
        _HOURS.format(table=table),
    )


CHECKS = (
    *(_hours(table) for table in ("receipts", "store_returns", "foot_traffic", "ble_pings")),
    Check(
        "store_inventory_txn.hours",
        "stock is sold, taken back, counted and written off while the store is open",
        ("store_inventory_txn", "opening_hours"),
        """
        SELECT EventTS, TraceId, StoreID, Reason, Source, open, opens, closes
        FROM store_inventory_txn JOIN opening_hours USING (StoreID, dt)
        WHERE Reason NOT IN ('INITIAL_STOCK', 'INBOUND_SHIPMENT')
            AND (NOT open OR EventTS < opens OR EventTS > closes)
        """,
    ),
    Check(
        "online_orders.hours",
        "stores pick and hand over while they are open",
        ("online_orders", "opening_hours"),
        """
        SELECT EventTS, TraceId, OrderId, NodeId AS "StoreID", Status, open, opens, closes
        FROM online_orders o JOIN opening_hours h ON h.StoreID = o.NodeId AND h.dt = o.dt
        WHERE NodeType = 'STORE' AND (Status = 'PICKED'
                OR (Status = 'DELIVERED' AND FulfillmentMode = 'BOPIS'))
            AND (NOT open OR EventTS < opens OR EventTS > closes)
        """,
    ),
    Check(
        "foot_traffic.entrances",
        "in no store and hour do receipts outnumber the ENTRANCE counts",
        ("receipts", "foot_traffic"),
        """
        WITH bought AS (
            SELECT StoreID, date_trunc('hour', EventTS) AS hour, count(*) AS receipts
            FROM receipts GROUP BY ALL
        ), came AS (
            SELECT StoreID, date_trunc('hour', EventTS) AS hour, sum("Count") AS people
            FROM foot_traffic WHERE Zone = 'ENTRANCE' GROUP BY ALL
        )
        SELECT hour, StoreID, receipts, coalesce(people, 0) AS people
        FROM bought LEFT JOIN came USING (StoreID, hour) WHERE receipts > coalesce(people, 0)
        """,
    ),
    Check(
        "foot_traffic.sensor",
        "the sensor is one of that store and zone",
        ("foot_traffic", "sensors"),
        _MATCHES.format(table="foot_traffic", master="sensors", key="SensorId", what="sensor"),
    ),
    Check(
        "foot_traffic.reading",
        "a reading counts somebody, who stayed a while, less than a day",
        ("foot_traffic",),
        """
        SELECT EventTS, TraceId, SensorId, Dwell, "Count" FROM foot_traffic
        WHERE "Count" < 1 OR Dwell NOT BETWEEN 1 AND 86399
        """,
    ),
    Check(
        "ble_pings.beacon",
        "the beacon is one of that store and zone",
        ("ble_pings", "beacons"),
        _MATCHES.format(table="ble_pings", master="beacons", key="BeaconId", what="beacon"),
    ),
    Check(
        "ble_pings.path",
        "a phone's way through a store begins at the ENTRANCE",
        ("ble_pings", "phone_days"),
        """
        SELECT came AS EventTS, CustomerBLEId, StoreID, first_zone AS "first zone", pings
        FROM phone_days WHERE first_zone <> 'ENTRANCE'
        """,
    ),
    Check(
        "ble_pings.visit",
        "who is at the CHECKOUT pays there that day after it, or meets an empty shelf",
        ("ble_pings", "phone_days", "receipts", "stockouts", "customers", "beacons"),
        # Where there are no zones but these two, those who only look around stand there too.
        """
        WITH bought AS (
            SELECT BLEId AS CustomerBLEId, StoreID, dt, max(EventTS) AS last
            FROM receipts JOIN customers USING (CustomerID) GROUP BY ALL
        ), lost AS (SELECT StoreID, dt, max(EventTS) AS last FROM stockouts GROUP BY ALL)
        SELECT paid AS EventTS, CustomerBLEId, p.StoreID, b.last AS "last receipt"
        FROM phone_days p LEFT JOIN bought b USING (CustomerBLEId, StoreID, dt)
            LEFT JOIN lost l ON l.StoreID = p.StoreID AND l.dt = p.dt
        WHERE paid IS NOT NULL AND p.dt IN (SELECT dt FROM days)
            AND (b.last >= paid) IS NOT TRUE AND (l.last >= paid) IS NOT TRUE
            AND (SELECT count(DISTINCT Zone) FROM beacons) > 2
        """,
    ),
    Check(
        "ble_pings.signal",
        "RSSI lies between -95 and -40 dBm",
        ("ble_pings",),
        """
        SELECT EventTS, TraceId, BeaconId, CustomerBLEId, RSSI FROM ble_pings
        WHERE RSSI NOT BETWEEN -95 AND -40
        """,
    ),
    Check(
        "marketing.campaign",
        "the campaign runs that day",
        ("marketing", "campaigns"),
        """
        SELECT EventTS, TraceId, CampaignId, StartDate, EndDate
        FROM marketing JOIN campaigns USING (CampaignId)
        WHERE dt NOT BETWEEN StartDate AND EndDate
        """,
    ),
    Check(
        "marketing.target",
        "a campaign for a segment is shown to customers of that segment",
        ("marketing", "campaigns", "customers"),
        """
        SELECT EventTS, TraceId, CampaignId, TargetSegment, CustomerAdId, Segment
        FROM marketing JOIN campaigns USING (CampaignId)
            JOIN customers ON AdId = CustomerAdId
        WHERE TargetSegment IS NOT NULL AND Segment <> TargetSegment
        """,
    ),
    Check(
        "marketing.creative",
        "a creative belongs to one campaign and channel",
        ("marketing",),
        """
        SELECT CreativeId, count(DISTINCT CampaignId) AS campaigns,
            count(DISTINCT Channel) AS channels
        FROM marketing GROUP BY CreativeId
        HAVING count(DISTINCT CampaignId) > 1 OR count(DISTINCT Channel) > 1
        """,
    ),
    Check(
        "marketing.cost",
        "every impression costs something",
        ("marketing",),
        "SELECT EventTS, TraceId, Channel, Cost FROM marketing WHERE Cost <= 0",
    ),
)
