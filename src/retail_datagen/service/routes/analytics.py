"""Analytics: each route is one question of `store.analytics`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from retail_datagen.service import schemas as s
from retail_datagen.service.answers import answer
from retail_datagen.service.asking import Days, Limit, Until, wall_clock
from retail_datagen.service.core import Asked
from retail_datagen.service.jobs import Progress
from retail_datagen.service.paths import SKU
from retail_datagen.service.problems import Problem, documented
from retail_datagen.store.analytics import affinity as pairs
from retail_datagen.store.analytics import heatmap as floor
from retail_datagen.store.analytics import velocity as pace
from retail_datagen.store.analytics.abc import Abc, abc_analysis
from retail_datagen.store.analytics.anomalies import Anomaly, Kind, anomalies
from retail_datagen.store.analytics.categories import CategoryPerformance, category_performance
from retail_datagen.store.analytics.forecast import Forecast, forecast
from retail_datagen.store.analytics.overview import Overview, overview
from retail_datagen.store.analytics.series import (
    MOST_HOURLY_DAYS,
    SalesPoint,
    sales_time_series,
)
from retail_datagen.store.analytics.window import Bucket
from retail_datagen.store.backfill import Backfill, backfill
from retail_datagen.store.joblog import JobRecord

router = APIRouter(prefix="/analytics", tags=["analytics"])
OfCategory = Annotated[s.Category | None, Query(description="Only this category.")]


@router.get("/overview", response_model=Overview)
def overview_(service: Asked, days: Days = 30, until: Until = None) -> Response:
    """Stock now, and what was bought, restocked and lost in the last days."""
    with service.reading() as connection:
        return answer(Overview, overview(connection, days, wall_clock(until)))


@router.get("/product-velocity", response_model=list[pace.Velocity])
def product_velocity(
    service: Asked,
    days: Days = 30,
    limit: Limit = 100,
    category: OfCategory = None,
    order: pace.Order = "fastest",
    until: Until = None,
) -> Response:
    """How quickly products sell, and how long their stock lasts."""
    with service.reading() as connection:
        found = pace.product_velocity(connection, days, limit, category, order, wall_clock(until))
    return answer(list[pace.Velocity], found)


@router.get("/top-products", response_model=list[pace.TopProduct])
def top_products(
    service: Asked,
    days: Days = 30,
    limit: Limit = 10,
    by: pace.Measure = "revenue",
    category: OfCategory = None,
    until: Until = None,
) -> Response:
    """The products that sell best."""
    with service.reading() as connection:
        found = pace.top_products(connection, days, limit, by, category, wall_clock(until))
    return answer(list[pace.TopProduct], found)


@router.get("/category-performance", response_model=list[CategoryPerformance])
def categories(service: Asked, days: Days = 30, until: Until = None) -> Response:
    """Sales and stock of each category, by revenue."""
    with service.reading() as connection:
        found = category_performance(connection, days, wall_clock(until))
    return answer(list[CategoryPerformance], found)


@router.get("/sales-time-series", response_model=list[SalesPoint])
def series(
    service: Asked,
    days: Days = 30,
    bucket: Bucket = "day",
    category: OfCategory = None,
    sku: Annotated[s.Sku | None, Query()] = None,
    until: Until = None,
) -> Response:
    """Sales by hour, day, week or month, without gaps."""
    if bucket == "hour" and days > MOST_HOURLY_DAYS:
        raise Problem(422, f"bucket: hours are for {MOST_HOURLY_DAYS} days at most", "bucket")
    with service.reading() as connection:
        found = sales_time_series(connection, days, bucket, category, sku, wall_clock(until))
    return answer(list[SalesPoint], found)


@router.get("/stock-heatmap", response_model=floor.Heatmap)
def heatmap(
    service: Asked,
    measure: floor.Measure = "stock",
    cell_size: Annotated[float, Query(ge=10, le=10_000, description="In cm.")] = 100,
    days: Days = 30,
    category: OfCategory = None,
    until: Until = None,
) -> Response:
    """Where on the floor the stock is, or what was sold or lost in the last days."""
    with service.reading() as connection:
        found = floor.stock_heatmap(
            connection, measure, cell_size, days, category, wall_clock(until)
        )
    return answer(floor.Heatmap, found)


@router.get("/abc", response_model=Abc)
def abc(service: Asked, days: Days = 90, limit: Limit = 100, until: Until = None) -> Response:
    """Which products make 80 % of the revenue, which the next 15, and which the rest."""
    with service.reading() as connection:
        return answer(Abc, abc_analysis(connection, days, limit, wall_clock(until)))


@router.get("/affinity", response_model=pairs.Affinity)
def affinity(
    service: Asked,
    days: Days = 90,
    limit: Limit = 50,
    level: pairs.Level = "product",
    order: pairs.Order = "lift",
    min_baskets: Annotated[int, Query(ge=1, le=1_000_000)] = 2,
    until: Until = None,
) -> Response:
    """What is bought together."""
    with service.reading() as connection:
        found = pairs.affinity(
            connection, days, limit, level, order, min_baskets, wall_clock(until)
        )
    return answer(pairs.Affinity, found)


@router.get(f"/forecast/{SKU}", response_model=Forecast, responses=documented(404))
def forecast_(
    service: Asked,
    sku: s.Sku,
    horizon: Annotated[int, Query(ge=1, le=90, description="Days to come.")] = 14,
    days: Annotated[int, Query(ge=1, le=730, description="Days to learn from.")] = 90,
    until: Until = None,
) -> Response:
    """What a product will sell, and when its stock runs out."""
    with service.reading() as connection:
        found = forecast(connection, sku, horizon, days, wall_clock(until))
    if found is None:
        raise Problem(404, f"sku: there is no product {sku!r}", "sku")
    return answer(Forecast, found)


@router.get("/anomalies", response_model=list[Anomaly])
def anomalies_(
    service: Asked,
    days: Days = 90,
    limit: Limit = 100,
    sensitivity: Annotated[
        float, Query(ge=0.5, le=20, description="Least score; 3 is one in 700.")
    ] = 3.0,
    kind: Kind | None = None,
    until: Until = None,
) -> Response:
    """What is out of the ordinary, the strangest first."""
    with service.reading() as connection:
        found = anomalies(connection, days, limit, sensitivity, kind, wall_clock(until))
    return answer(list[Anomaly], found)


@router.post(
    "/backfill", status_code=202, response_model=JobRecord, responses=documented(429), tags=["jobs"]
)
def start_backfill(service: Asked, wanted: s.BackfillIn) -> Response:
    """Start a job that writes a past: purchases, deliveries and snapshots until yesterday.

    It waits for its turn where another one runs. With a SQLite database that is being written to,
    it is in memory until then: a server that is killed before that does not know it any more.
    """
    asked = Backfill(wanted.days, wanted.density, wanted.seed, wanted.replace, wanted.until)
    asked.checked()
    service.starts.take()

    def work(progress: Progress) -> dict[str, Any]:
        def told(doing: str, done: int, total: int) -> None:
            # Drawing the days is the smaller part; then come the snapshots.
            begun = 0.0 if doing == "days" else 0.5
            progress(f"{doing}: {done:,} of {total:,}", begun + 0.5 * done / max(total, 1))

        return asdict(backfill(service.engine, asked, told))

    record = service.jobs.start("backfill", wanted.model_dump(mode="json"), work)
    return answer(JobRecord, record, 202, {"Location": f"/jobs/{record.id}"})
