"""Checks of master data: values in their ranges, as `generate` asks of the files of a user."""

from __future__ import annotations

from retail_datagen.config.parts import SEGMENTS
from retail_datagen.quality.check import Check, Source
from retail_datagen.world.master import MASTER_TABLES


def _unique() -> list[Check]:
    """Columns that tell rows apart beside the key: what others refer to, and SKU."""
    found = {"products.SKU": ("products", "SKU")}
    for table in MASTER_TABLES:
        for column in ("BLEId", "AdId"):
            if column in table.header:
                found[f"{table.name}.{column}"] = (table.name, column)
    return [
        Check(
            name,
            f"{column} is unique",
            (table,),
            f"SELECT {column}, count(*) AS rows FROM {table} GROUP BY ALL HAVING count(*) > 1",
        )
        for name, (table, column) in found.items()
    ]


def _ranges(table: str, *rules: str) -> Check:
    """A check that every row keeps all `rules`; a value that is not there keeps none."""
    kept = " AND ".join(f"({rule})" for rule in rules)
    return Check(
        f"{table}.values",
        "every value lies in its range",
        (table,),
        f"SELECT * FROM {table} WHERE ({kept}) IS NOT TRUE",
    )


_SEGMENTS = ", ".join(f"'{name}'" for name in SEGMENTS)
_PLACE = ("Latitude BETWEEN -90 AND 90", "Longitude BETWEEN -180 AND 180")

CHECKS = (
    Check(
        "files.master_complete",
        "none of the files of master data is missing",
        ("master_files",),
        "SELECT file, 'is missing' AS problem FROM master_files WHERE NOT there",
        sources=(Source.MASTER,),
    ),
    *_unique(),
    _ranges("geographies", "TaxRate BETWEEN 0 AND 0.25", "Population >= 0", *_PLACE),
    _ranges(
        "stores",
        "OpenHour BETWEEN 0 AND 23",
        "CloseHour BETWEEN OpenHour + 1 AND 24",
        "TrafficMultiplier BETWEEN 0.001 AND 100",
        "DCDistanceKm >= 0",
        "Capacity > 0",
        *_PLACE,
    ),
    _ranges("distribution_centers", "Capacity > 0", "Throughput > 0", *_PLACE),
    _ranges("trucks", "Capacity > 0", "Refrigerated IS NOT NULL"),
    _ranges("suppliers", "LeadTimeDays BETWEEN 1 AND 120"),
    _ranges(
        "products",
        "Cost > 0",
        "Price >= Cost",
        "MSRP >= Price",
        "Pack > 0",
        "Popularity > 0",
        "Taxable IS NOT NULL",
        "Refrigerated IS NOT NULL",
        "LaunchDate IS NOT NULL",
    ),
    _ranges("customers", f"Segment IN ({_SEGMENTS})"),
    _ranges("promotions", "DiscountPercent BETWEEN 1 AND 90", "EndDate >= StartDate"),
    _ranges(
        "campaigns",
        "Weight > 0",
        "EndDate >= StartDate",
        f"TargetSegment IS NULL OR TargetSegment IN ({_SEGMENTS})",
    ),
    _ranges(
        "calendar",
        "TrafficFactor BETWEEN 0 AND 50",
        "OnlineFactor BETWEEN 0 AND 50",
        "OpensEarlier BETWEEN 0 AND 24",
        "ClosesLater BETWEEN 0 AND 24",
    ),
    Check(
        "calendar.days",
        "the calendar has every day from its first to its last, and says rightly which it is",
        ("calendar",),
        """
        SELECT * FROM (
            SELECT "Date", lead("Date") OVER (ORDER BY "Date") AS next, Year, Quarter, Month, Week,
                DayOfWeek, IsWeekend
            FROM calendar
        ) WHERE next <> "Date" + 1 OR Year <> year("Date") OR Quarter <> quarter("Date")
            OR Month <> month("Date") OR Week <> week("Date") OR DayOfWeek <> isodow("Date")
            OR IsWeekend <> (isodow("Date") > 5)
        """,
    ),
)
