"""What a built world is like: places, sizes, people and their safety, calendar."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from retail_datagen.config.models import RetailConfig, Volume
from retail_datagen.config.parts import SEGMENTS
from retail_datagen.config.profile import Profile
from retail_datagen.core import calendar
from retail_datagen.world.build import build_world
from retail_datagen.world.geometry import metres, moved
from retail_datagen.world.sites import assign, micro

Tables = dict[str, pa.Table]


def column(rows: pa.Table, name: str) -> np.ndarray:
    return np.asarray(rows[name].to_numpy())


def test_no_person_and_no_number_is_real(tables: Tables) -> None:
    for email in tables["customers"]["Email"].to_pylist():
        assert re.fullmatch(r"[a-z]+\.[a-z]+\d+@example\.(com|org|net)", email)
    for name in ("customers", "stores", "distribution_centers", "suppliers"):
        for phone in tables[name]["Phone"].to_pylist():
            assert re.fullmatch(r"555-01\d\d", phone)


def test_identifiers_are_as_published(tables: Tables) -> None:
    customers = tables["customers"]
    assert customers["CustomerID"].to_pylist() == list(range(1, 3001))
    for name, prefix in (("BLEId", "BLE"), ("AdId", "AD")):
        values = customers[name].to_pylist()
        assert len(set(values)) == len(values)
        assert all(re.fullmatch(prefix + r"[5-9]\d{5}", value) for value in values)
        numbers = np.array([int(value[len(prefix) :]) for value in values])
        assert abs(np.corrcoef(numbers, np.arange(len(numbers)))[0, 1]) < 0.1
    assert len(set(customers["Email"].to_pylist())) == 3000
    assert tables["trucks"]["TruckId"][0].as_py() == "TRK1001"
    assert "SENSOR_012_ENTRANCE" in tables["sensors"]["SensorId"].to_pylist()
    assert "BEACON_001_GROCERY" in tables["beacons"]["BeaconId"].to_pylist()


def test_identifiers_keep_one_width_when_there_are_more(profile: Profile) -> None:
    config = RetailConfig(volume=Volume(stores=1, customers=500_001, products=80))
    values = build_world(config, profile)["customers"]["BLEId"]
    assert pc.unique(pc.utf8_length(values)).to_pylist() == [10]
    assert pc.count_distinct(values).as_py() == 500_001


def test_loyal_customers_have_a_number_and_others_none(tables: Tables) -> None:
    for tier, number in zip(
        tables["customers"]["LoyaltyTier"].to_pylist(),
        tables["customers"]["LoyaltyNumber"].to_pylist(),
        strict=True,
    ):
        assert (tier == "NONE") == (number == "")


def test_segments_have_the_profiles_shares(tables: Tables, profile: Profile) -> None:
    shares = np.array([profile.segments[name].share for name in SEGMENTS])
    segments = tables["customers"]["Segment"].to_pylist()
    found = np.array([segments.count(name) for name in SEGMENTS]) / len(segments)
    assert np.abs(found - shares / shares.sum()).max() < 0.03


def test_formats_have_the_profiles_shares(profile: Profile) -> None:
    config = RetailConfig(volume=Volume(stores=100, dcs=4, customers=1000))
    formats = build_world(config, profile)["stores"]["Format"].to_pylist()
    shares = np.array([f.share for f in profile.formats]) * 100
    found = [formats.count(f.name) for f in profile.formats]
    assert np.abs(found - shares / sum(f.share for f in profile.formats)).max() <= 1


def test_stores_attract_customers_by_traffic_and_fewer_with_distance(tables: Tables) -> None:
    stores, customers = tables["stores"], tables["customers"]
    traffic = column(stores, "TrafficMultiplier")
    first = column(customers, "NearestStoreID1") - 1
    share = np.bincount(first, minlength=len(traffic)) / len(first)
    expected = traffic / traffic.sum()
    assert np.abs(share - expected).max() < 0.03
    away = metres(
        micro(customers["Latitude"]),
        micro(customers["Longitude"]),
        micro(stores["Latitude"])[first],
        micro(stores["Longitude"])[first],
    )
    rings = np.histogram(away, [0, 4000, 8000, 12000, 16000])[0]
    assert (np.diff(rings) < 0).all()
    assert 5500 < away.mean() < 6500


def test_second_and_third_store_are_others_and_nearer_than_most(tables: Tables) -> None:
    stores, customers = tables["stores"], tables["customers"]
    chosen = np.stack([column(customers, f"NearestStoreID{i}") for i in (1, 2, 3)], axis=1)
    assert (np.diff(np.sort(chosen, axis=1), axis=1) > 0).all()
    away = metres(
        micro(customers["Latitude"])[:, None],
        micro(customers["Longitude"])[:, None],
        micro(stores["Latitude"]),
        micro(stores["Longitude"]),
    )
    rank = np.argsort(np.argsort(away, axis=1), axis=1)
    second = rank[np.arange(len(chosen)), chosen[:, 1] - 1]
    assert (second <= 3).mean() > 0.95


@pytest.mark.parametrize(("stores", "distinct"), [(1, 1), (2, 2)])
def test_a_tiny_chain_repeats_its_stores(profile: Profile, stores: int, distinct: int) -> None:
    config = RetailConfig(volume=Volume(stores=stores, products=80))
    customers = build_world(config, profile)["customers"]
    for row in zip(*(customers[f"NearestStoreID{i}"].to_pylist() for i in (1, 2, 3)), strict=True):
        assert len(set(row)) == distinct


def test_every_dc_serves_stores_that_are_near(tables: Tables, profile: Profile) -> None:
    config = RetailConfig(volume=Volume(stores=100, dcs=8, customers=1000))
    for built, dcs in ((tables, 3), (build_world(config, profile), 8)):
        served = np.bincount(column(built["stores"], "DCID"), minlength=dcs + 1)[1:]
        assert served.min() >= 1
        assert served.max() <= np.ceil(1.3 * served.sum() / dcs)
        assert np.median(column(built["stores"], "DCDistanceKm")) < 400


def test_assignment_prefers_the_nearest_and_leaves_no_dc_idle() -> None:
    near = np.array([[10, 500], [20, 400], [400, 10], [500, 20]])
    assert assign(near).tolist() == [0, 0, 1, 1]
    one_sided = np.array([[1, 900], [2, 800], [3, 700]])
    assert sorted(assign(one_sided).tolist()) == [0, 0, 1]
    assert assign(one_sided)[2] == 1


def test_places_and_distances() -> None:
    new_york, chicago = (40_712_800, -74_006_000), (41_878_100, -87_629_800)
    km = metres(np.array([new_york[0]]), np.array([new_york[1]]), *map(np.array, chicago))
    assert km[0] / 1000 == pytest.approx(1144.3, rel=0.02)
    at = np.full(1024, 40_000_000), np.full(1024, -90_000_000)
    there = moved(*at, np.full(1024, 10_000), np.arange(1024))
    assert np.abs(metres(*at, *there) - 10_000).max() < 60


def test_dcs_and_trucks_can_carry_the_peak(
    tables: Tables, config: RetailConfig, profile: Profile
) -> None:
    stores, dcs, trucks = tables["stores"], tables["distribution_centers"], tables["trucks"]
    lines = config.volume.customers_per_day * config.volume.items_per_ticket_mean
    traffic = column(stores, "TrafficMultiplier")
    units = lines * 1.35 * traffic / traffic.sum()
    home = column(stores, "DCID")
    for row in range(3):
        mine = column(trucks, "DCID") == row + 1
        served = home == row + 1
        assert dcs["Throughput"][row].as_py() >= max(5000, 4 * units[served].sum())
        assert dcs["Capacity"][row].as_py() >= 4 * 52 * units[served].sum() + 50 * 300
        assert column(trucks, "Capacity")[mine].sum() >= 4 * units[served].sum()
        assert mine.sum() >= 2 * served.sum()
        assert column(trucks, "Refrigerated")[mine].sum() >= served.sum() + 1
    assert set(column(trucks, "Capacity").tolist()) <= {1200, 2000, 3000}
    supply = profile.supply
    shelf = (supply.store_cover_days + supply.store_safety_days) * units
    assert (column(stores, "Capacity") >= 3 * (shelf + 300 * supply.presentation_units)).all()
    assert column(stores, "Capacity").min() >= 20_000


def test_suppliers_take_two_to_fourteen_days(tables: Tables) -> None:
    lead = column(tables["suppliers"], "LeadTimeDays")
    assert len(lead) == 20
    assert lead.min() >= 2
    assert lead.max() <= 14
    assert len(set(tables["suppliers"]["SupplierName"].to_pylist())) == 20


def test_the_calendar_says_what_each_day_is(tables: Tables, profile: Profile) -> None:
    rows = {row["Date"]: row for row in tables["calendar"].to_pylist()}
    assert len(rows) == 1096
    friday = rows[date(2024, 11, 29)]
    assert friday["Event"] == "black_friday"
    assert friday["TrafficFactor"] == 3.5
    rule = next(day for day in profile.temporal.named_days if day.rule == "black_friday")
    assert friday["OpensEarlier"] == rule.opens_earlier > 0
    assert friday["ClosesLater"] == rule.closes_later > 0
    july = rows[date(2024, 7, 4)]
    assert july["Holiday"] == "Independence Day"
    assert (july["DayName"], july["DayOfWeek"], july["IsWeekend"]) == ("Thursday", 4, False)
    assert (july["Year"], july["Quarter"], july["Month"], july["Week"]) == (2024, 3, 7, 27)
    assert rows[date(2024, 2, 3)]["RetailYear"] == 2023
    assert rows[date(2024, 2, 3)]["RetailWeek"] == 53
    first = rows[date(2024, 2, 4)]
    assert (first["RetailYear"], first["RetailPeriod"], first["RetailWeek"]) == (2024, 1, 1)
    assert rows[date(2024, 12, 25)]["TrafficFactor"] == 0
    assert rows[date(2024, 12, 25)]["OnlineFactor"] > 0
    for year in (2023, 2024, 2025):
        mine = [row for day, row in rows.items() if day.year == year]
        total = sum(row["TrafficFactor"] for row in mine)
        assert total == pytest.approx(len(mine), abs=1e-6)


def test_a_campaign_runs_on_every_day(tables: Tables, config: RetailConfig) -> None:
    days = calendar.days_between(config.calendar.first, config.calendar.last)
    covered = np.zeros(len(days), dtype=bool)
    for row in tables["campaigns"].to_pylist():
        first = calendar.to_day(row["StartDate"]) - days[0]
        covered[first : calendar.to_day(row["EndDate"]) - days[0] + 1] |= row["TargetSegment"] == ""
    assert covered.all()


def test_promotions_are_short_cheap_and_mostly_before_christmas(
    tables: Tables, profile: Profile
) -> None:
    rows = tables["promotions"].to_pylist()
    yearly = profile.marketing.promotions_per_year
    assert len(rows) == 3 * yearly
    assert len({row["PromoCode"] for row in rows}) == len(rows)
    for row in rows:
        assert re.fullmatch(r"[A-Z]{3}\d\d-\d\dW\d\d[A-Z]?", row["PromoCode"])
        assert 3 <= (row["EndDate"] - row["StartDate"]).days + 1 <= 14
        assert row["DiscountPercent"] in range(10, 41, 5)
        assert row["StartDate"].year == row["EndDate"].year
    per_day = np.zeros(366)
    for row in rows:
        if row["StartDate"].year == 2024:
            first = row["StartDate"].timetuple().tm_yday - 1
            per_day[first : row["EndDate"].timetuple().tm_yday] += 1
    assert per_day.min() >= 1
    friday = date(2024, 11, 29).timetuple().tm_yday - 1
    assert per_day[friday] >= yearly // 10
    assert per_day[305:].mean() > 1.5 * per_day[:305].mean()
    whole = sum(row["Subcategory"] == "" for row in rows)
    assert 0.05 < whole / len(rows) < 0.35


def test_no_product_is_in_two_promotions_at_a_time(tables: Tables) -> None:
    rows = tables["promotions"].to_pylist()
    for i, one in enumerate(rows):
        for other in rows[i + 1 :]:
            if one["Category"] == other["Category"]:
                apart = one["EndDate"] < other["StartDate"] or other["EndDate"] < one["StartDate"]
                parts = {one["Subcategory"], other["Subcategory"]}
                assert apart or (len(parts) == 2 and "" not in parts)


def test_campaigns_tell_of_promotions_of_the_same_days(tables: Tables) -> None:
    promotions = {row["PromoCode"]: row for row in tables["promotions"].to_pylist()}
    identifiers = tables["campaigns"]["CampaignId"].to_pylist()
    assert len(set(identifiers)) == len(identifiers)
    assert "CAMP20240101" in identifiers
    for row in tables["campaigns"].to_pylist():
        promotion = promotions[row["PromoCode"]]
        assert promotion["StartDate"] == row["StartDate"]
        assert promotion["EndDate"] == row["EndDate"]
        assert row["CampaignId"].startswith(f"CAMP{row['StartDate']:%Y%m%d}")


def test_promotions_of_a_year_do_not_depend_on_the_calendars_ends(
    config: RetailConfig, profile: Profile, tables: Tables
) -> None:
    part = config.calendar.model_copy(update={"first": date(2024, 3, 5), "last": date(2024, 3, 9)})
    found = build_world(config.model_copy(update={"calendar": part}), profile)["promotions"]
    rows = {row["PromoCode"]: row for row in tables["promotions"].to_pylist()}
    active = {
        code
        for code, row in rows.items()
        if row["StartDate"] <= date(2024, 3, 9) and row["EndDate"] >= date(2024, 3, 5)
    }
    assert set(found["PromoCode"].to_pylist()) == active
    assert pc.min(found["StartDate"]).as_py() >= date(2024, 3, 5)
    assert pc.max(found["EndDate"]).as_py() <= date(2024, 3, 9)
