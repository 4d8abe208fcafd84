"""Checks of who is where and when: opening hours, sensors, beacons and marketing."""

from __future__ import annotations

from retail_datagen.quality.check import Check, Helper

HELPERS = (
    Helper(
        "opening_hours",
        ("stores", "calendar"),
        """
        SELECT StoreID, "Date" AS dt, round(TrafficFactor * 1000000) > 0 AS open,
            "Date" + to_hours(greatest(OpenHour - OpensEarlier, 0)) AS opens,
            "Date" + to_hours(least(CloseHour + ClosesLater, 24)) AS closes
        FROM stores, calendar WHERE "Date" IN (SELECT dt FROM main.days)
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
        "a reading counts somebody, who stayed a while",
        ("foot_traffic",),
        """
        SELECT EventTS, TraceId, SensorId, Dwell, "Count" FROM foot_traffic
        WHERE "Count" < 1 OR Dwell < 1
        """,
    ),
    Check(
        "ble_pings.beacon",
        "the beacon is one of that store and zone",
        ("ble_pings", "beacons"),
        _MATCHES.format(table="ble_pings", master="beacons", key="BeaconId", what="beacon"),
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
