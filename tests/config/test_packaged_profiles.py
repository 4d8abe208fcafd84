"""The packaged profiles: they read, keep the earlier numbers, and their pairs have lift."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from retail_datagen.config.library import packaged, profile_file, read_profile
from retail_datagen.config.parts import BEHAVIOURS
from retail_datagen.config.profile import Category, Profile, Template

PROFILES = {name: read_profile(profile_file(name)) for name in packaged()}
MEAN_LINES = 4.2
REAL_BRANDS = {"nike", "adidas", "apple", "samsung", "sony", "lego", "nestle", "pepsi", "ikea"}


@pytest.fixture(params=sorted(PROFILES))
def profile(request: pytest.FixtureRequest) -> Profile:
    return PROFILES[request.param]


def templates(profile: Profile) -> list[Template]:
    return [t for c in profile.categories for t in c.templates]


def category(profile: Profile, name: str) -> Category:
    return next(c for c in profile.categories if c.name == name)


def variants(template: Template) -> int:
    return math.prod(len(values) for values in template.variants.values())


def behaviour_shares(profile: Profile) -> dict[str, float]:
    """P(behaviour): the segments' habits, weighted by their shares."""
    total = sum(s.share for s in profile.segments.values())
    shares = dict.fromkeys(BEHAVIOURS, 0.0)
    for segment in profile.segments.values():
        odds = sum(segment.behaviours.values())
        for name, weight in segment.behaviours.items():
            shares[name] += segment.share / total * weight / odds
    return shares


def mission_shares(profile: Profile) -> list[tuple[float, float, str]]:
    """(P(behaviour and mission), the behaviour's mean lines, mission)."""
    shares = behaviour_shares(profile)
    mean = sum(shares[b] * profile.behaviours[b].lines for b in BEHAVIOURS)
    mixture = []
    for name, behaviour in profile.behaviours.items():
        lines = max(1.0, behaviour.lines * MEAN_LINES / mean)
        odds = sum(behaviour.missions.values())
        mixture += [
            (shares[name] * weight / odds, lines, mission)
            for mission, weight in behaviour.missions.items()
        ]
    return mixture


def empty_share(p: float, lines: float) -> float:
    """P(no line of n hits), each with chance `p`, where n >= 1 is geometric with mean `lines`."""
    q = 1 / lines
    return q * (1 - p) / (1 - (1 - q) * (1 - p))


def lift(profile: Profile, a: str, b: str) -> float:
    """P(a and b on a receipt) / (P(a) P(b)), for independent lines given the mission."""
    with_a = with_b = with_both = 0.0
    for share, lines, mission in mission_shares(profile):
        weights = profile.missions[mission].categories
        total = sum(weights.values())
        pa, pb = weights.get(a, 0) / total, weights.get(b, 0) / total
        no_a, no_b = empty_share(pa, lines), empty_share(pb, lines)
        with_a += share * (1 - no_a)
        with_b += share * (1 - no_b)
        with_both += share * (1 - no_a - no_b + empty_share(pa + pb, lines))
    return with_both / (with_a * with_b)


def test_the_earlier_kinds_of_retailer_are_packaged() -> None:
    assert {"supercenter", "grocery", "sporting-goods", "general", "ecommerce"} <= set(PROFILES)
    assert all(profile.name == name for name, profile in PROFILES.items())


def test_named_pairs_have_lift(profile: Profile) -> None:
    lifts = {pair: lift(profile, *pair) for pair in profile.affinities}
    assert len(lifts) >= 2
    assert {pair: value for pair, value in lifts.items() if value <= 1.6} == {}


def test_supercenter_names_many_pairs_and_others_have_no_lift() -> None:
    profile = PROFILES["supercenter"]
    assert len(profile.affinities) >= 8
    assert lift(profile, "Diapers", "Televisions") < 1
    assert lift(profile, "Laundry", "Audio") < 1


def test_every_category_is_shopped_for(profile: Profile) -> None:
    used = {b: set(profile.behaviours[b].missions) for b in BEHAVIOURS}
    missions = set().union(*used.values())
    assert missions == set(profile.missions)
    reached = {c for m in profile.missions.values() for c, w in m.categories.items() if w > 0}
    assert reached == {c.name for c in profile.categories}


def test_names_and_prefixes_of_templates_are_unique(profile: Profile) -> None:
    for values in (
        [t.name for t in templates(profile)],
        [t.sku_prefix for t in templates(profile)],
    ):
        assert [value for value, n in Counter(values).items() if n > 1] == []


def test_every_template_has_invented_brands(profile: Profile) -> None:
    for template in templates(profile):
        assert len(set(template.brands)) == len(template.brands) >= 2
        assert not {brand.lower() for brand in template.brands} & REAL_BRANDS
        for values in template.variants.values():
            assert len(set(values)) == len(values)


def test_zones_are_a_walk_that_passes_every_category(profile: Profile) -> None:
    assert 6 <= len(profile.zones) <= 9
    assert len(set(profile.zones)) == len(profile.zones)
    assert {c.zone for c in profile.categories} <= set(profile.zones) - {"ENTRANCE"}


def test_formats_include_a_flagship_and_a_small_branch(profile: Profile) -> None:
    traffic = {f.size_class: f.traffic for f in profile.formats}
    assert traffic["flagship"] == 1.5
    assert traffic["small"] == 0.7


def test_some_supercenters_never_close() -> None:
    hours = [(f.open_hour, f.close_hour) for f in PROFILES["supercenter"].formats]
    assert (0, 24) in hours
    night = PROFILES["supercenter"].temporal.half_hours
    assert min(night) > 0


@pytest.mark.parametrize("name", ["supercenter", "sporting-goods", "general", "ecommerce"])
def test_months_are_those_of_the_earlier_scripts(name: str) -> None:
    months = PROFILES[name].temporal.months
    assert (months[0], months[10], months[11]) == (0.7, 1.5, 1.8)
    assert sum(months) == pytest.approx(12)
    assert max(months[1:10]) < 1.2
    assert min(months[1:10]) > 0.7


@pytest.mark.parametrize("name", ["supercenter", "sporting-goods", "ecommerce"])
def test_weekdays_are_those_of_the_published_api(name: str) -> None:
    weekdays = PROFILES[name].temporal.weekdays
    assert (weekdays[0], weekdays[4], weekdays[5]) == (0.7, 1.2, 1.4)
    assert sum(weekdays) == pytest.approx(7)


def test_general_follows_the_earlier_scripts() -> None:
    temporal = PROFILES["general"].temporal
    assert temporal.weekdays == (1, 1, 1, 1, 1, 1.4, 1.4)
    for hours in (temporal.half_hours, temporal.half_hours_weekend):
        assert set(hours[34:42]) == {1.7}
        assert set(hours[18:26]) == {1.4}
        assert max(hours[26:34]) == 1.0
        assert max((*hours[:18], *hours[42:])) <= 1.0
    names = [c.name for c in PROFILES["general"].categories]
    assert names == ["Electronics", "Clothing", "Home", "Books", "Sports"]
    assert [d.name for d in PROFILES["general"].departments] == names


def test_ecommerce_has_the_usual_categories_and_catalogue() -> None:
    profile = PROFILES["ecommerce"]
    assert [c.name for c in profile.categories] == [
        "Books",
        "Clothing",
        "Electronics",
        "Home",
        "Toys",
    ]
    assert profile.products == 3000
    assert profile.online.modes["SHIP_FROM_DC"] > 50


def test_supercenter_peaks_at_lunch_and_after_work() -> None:
    hours = PROFILES["supercenter"].temporal.half_hours
    lunch, after_work = hours[23:27], hours[34:40]
    rest = (*hours[:23], *hours[27:34], *hours[40:])
    assert min(*lunch, *after_work) > max(rest)


def test_supercenters_named_days() -> None:
    days = {d.rule: d for d in PROFILES["supercenter"].temporal.named_days}
    black_friday, christmas = days["black_friday"], days["before_christmas"]
    assert black_friday.factor == 3.5
    assert black_friday.opens_earlier > 0
    assert black_friday.closes_later > 0
    assert (christmas.factor, christmas.days) == (2, 10)
    assert christmas.missions["gifts"] > 2
    assert days["christmas_day"].factor == 0


def test_supercenter_sizes() -> None:
    profile = PROFILES["supercenter"]
    assert len(profile.departments) >= 12
    assert len(profile.categories) >= 40
    assert all(3 <= len(c.templates) <= 8 for c in profile.categories)
    assert 8 <= len(profile.missions) <= 14


def test_supercenters_seasons_surge_when_they_should() -> None:
    profile = PROFILES["supercenter"]
    for name in ("Computers", "Phone Accessories", "Womenswear", "Kidswear", "School Supplies"):
        season = category(profile, name).season
        assert season[7] > 1.25 * sum(season) / 12, name
    for name in ("Grills and Barbecue", "Patio", "Camping"):
        season = category(profile, name).season
        assert min(season[5:7]) > 1.5 * sum(season) / 12, name
    for name in ("Building Sets", "Dolls and Plush", "Action Toys"):
        season = category(profile, name).season
        assert min(season[10:]) > 1.8 * sum(season) / 12, name


def test_seasons_move_demand_between_months_without_adding_much(profile: Profile) -> None:
    for entry in profile.categories:
        assert 0.85 < sum(entry.season) / 12 < 1.15, entry.name


def test_staples_answer_little_to_price_and_the_mean_is_a_published_one() -> None:
    profile = PROFILES["supercenter"]
    elasticity = {c.name: c.elasticity for c in profile.categories}
    assert elasticity["Milk"] <= 1.5
    assert elasticity["Eggs and Butter"] <= 1.5
    assert sum(elasticity.values()) / len(elasticity) == pytest.approx(2.5, abs=0.3)


def test_segments_follow_the_published_api(profile: Profile) -> None:
    segments = profile.segments
    assert sum(s.share for s in segments.values()) == pytest.approx(1)
    budget, convenience = segments["budget_conscious"], segments["convenience_focused"]
    quality, loyal = segments["quality_seeker"], segments["brand_loyal"]
    assert budget.price_tilt < 0 < convenience.price_tilt < quality.price_tilt
    assert budget.promo_response == max(s.promo_response for s in segments.values())
    assert loyal.loyalty == max(s.loyalty for s in segments.values()) == 0.6
    bulk = {n: s.behaviours.get("bulk_purchase", 0) for n, s in segments.items()}
    assert bulk["budget_conscious"] == max(bulk.values())
    quick = {n: s.behaviours["quick_trip"] for n, s in segments.items()}
    assert quick["convenience_focused"] == max(quick.values())
    lines = {
        name: sum(w * profile.behaviours[b].lines for b, w in s.behaviours.items())
        / sum(s.behaviours.values())
        for name, s in segments.items()
    }
    assert lines["budget_conscious"] == max(lines.values())
    assert lines["convenience_focused"] == min(lines.values())


def test_behaviours_differ_in_lines_and_quantities(profile: Profile) -> None:
    lines = {name: b.lines for name, b in profile.behaviours.items()}
    assert lines == {
        "quick_trip": 2,
        "grocery_run": 5,
        "family_shopping": 8,
        "bulk_purchase": 6,
    }
    units = {
        name: sum(i * w for i, w in enumerate(b.quantities, 1)) / sum(b.quantities)
        for name, b in profile.behaviours.items()
    }
    assert units["bulk_purchase"] > 2 * units["quick_trip"]


def test_channels_cost_at_least_a_cent_and_convert_as_published(profile: Profile) -> None:
    channels = profile.marketing.channels
    assert {("FACEBOOK", "FB"), ("GOOGLE", "GO")} <= {(c.name, c.code) for c in channels}
    assert len({c.code for c in channels}) == len(channels)
    for channel in channels:
        assert 0.01 <= channel.cost[0] <= channel.cost[1]
        assert 0.005 <= channel.conversion <= 0.02


def test_food_seldom_comes_back_and_clothing_often() -> None:
    returns = {c.name: c.returns for c in PROFILES["supercenter"].categories}
    assert returns["Milk"] < returns["Cleaning"] < returns["Womenswear"]
    assert returns["Computers"] > 2 * returns["Snacks"]


SPORTING_VARIANTS = {
    "Footwear": {"Running Shoes": 455, "Training Shoes": 84, "Basketball Shoes": 84},
    "Apparel": {
        "Athletic T-Shirt": 144,
        "Athletic Shorts": 90,
        "Hoodie": 40,
        "Yoga Pants": 75,
        "Sports Bra": 75,
    },
    "Sports Equipment": {"Basketball": 18, "Soccer Ball": 18},
    "Fitness": {"Yoga Mat": 54, "Dumbbells": 60, "Resistance Bands": 60},
    "Accessories": {"Water Bottle": 84, "Gym Bag": 36},
    "Electronics": {"Fitness Tracker": 36},
    "Nutrition": {"Protein Powder": 36, "Energy Bar": 36},
}


def test_sporting_goods_has_the_earlier_catalogues_variants() -> None:
    profile = PROFILES["sporting-goods"]
    counts = {c.name: {t.name: variants(t) for t in c.templates} for c in profile.categories}
    recovery = counts.pop("Recovery")
    assert counts == SPORTING_VARIANTS
    assert sum(sum(c.values()) for c in counts.values()) == 1485
    assert "Foam Roller" in recovery
    assert len(recovery) == 2
    assert sum(recovery.values()) == 58
    assert profile.products == 1543


def test_sporting_goods_dimensions_are_those_of_the_earlier_catalogue() -> None:
    by_name = {t.name: t for t in templates(PROFILES["sporting-goods"])}
    sizes = {
        name: sorted(len(v) for v in by_name[name].variants.values())
        for name in ("Running Shoes", "Hoodie", "Dumbbells", "Resistance Bands", "Water Bottle")
    }
    assert sizes == {
        "Running Shoes": [5, 7, 13],
        "Hoodie": [2, 4, 5],
        "Dumbbells": [2, 3, 10],
        "Resistance Bands": [3, 4, 5],
        "Water Bottle": [3, 4, 7],
    }
    demand = {name: t.demand for name, t in by_name.items()}
    assert demand["Hoodie"] == "high"
    assert demand["Running Shoes"] == "medium"
    assert demand["Fitness Tracker"] == "low"
