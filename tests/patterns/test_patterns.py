"""The published patterns, measured on a year of rendered tables with a fixed seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from year import DAYS, FIRST, LAST, VOLUME, Year

from histories import Array
from retail_datagen.config.parts import SEGMENTS
from retail_datagen.config.profile import Profile
from retail_datagen.world.model import World

ALL = np.arange(FIRST, LAST + 1)
MONTH = ALL.astype("M8[D]").astype("M8[M]").astype(int) % 12
WEEKDAY = (ALL + 3) % 7
BUDGET, CONVENIENCE, QUALITY, LOYAL = range(4)
assert SEGMENTS == ("budget_conscious", "convenience_focused", "quality_seeker", "brand_loyal")


@pytest.fixture(scope="module")
def receipts(year: Year) -> Array:
    """Receipts of each day."""
    return np.bincount(year.day, minlength=DAYS)


@pytest.fixture(scope="module")
def named(world: World) -> Array:
    """Which of the profile's named days each day is, or -1."""
    first = FIRST - world.calendar.first_day
    return world.calendar.named[first : first + DAYS]


@pytest.fixture(scope="module")
def category(year: Year, world: World) -> Array:
    """The category of each line."""
    return world.products.category[year.product]


@pytest.fixture(scope="module")
def segment(year: Year, world: World) -> Array:
    """The segment of each receipt's customer."""
    return world.customers.segment[year.customer]


def mean_one(factors: Array) -> Array:
    return np.asarray(factors, dtype=float) / np.mean(factors)


def factors_of(receipts: Array, free: Array) -> tuple[Array, Array]:
    """Month and weekday factors, mean 1, that together explain the receipts of the free days.

    A month with five Saturdays is not busier for it, so both are fitted, in turns.
    """
    months, weekdays = np.ones(12), np.ones(7)
    for _ in range(30):
        shape = [(free & (m == MONTH)) for m in range(12)]
        months = np.array([receipts[s].sum() / weekdays[WEEKDAY[s]].sum() for s in shape])
        shape = [(free & (w == WEEKDAY)) for w in range(7)]
        weekdays = np.array([receipts[s].sum() / months[MONTH[s]].sum() for s in shape])
    return mean_one(months), mean_one(weekdays)


def test_month_factors(receipts: Array, named: Array, profile: Profile) -> None:
    months, _ = factors_of(receipts, named < 0)
    assert months == pytest.approx(mean_one(profile.temporal.months), rel=0.05)
    # The earlier scripts' own numbers: January to November to December as 0.7 to 1.5 to 1.8.
    assert months[10] / months[0] == pytest.approx(1.5 / 0.7, rel=0.05)
    assert months[11] / months[0] == pytest.approx(1.8 / 0.7, rel=0.05)


def test_months_as_they_are(receipts: Array, named: Array, profile: Profile) -> None:
    """Plain means of days, as a dashboard shows them, named days left out."""
    means = [receipts[(named < 0) & (m == MONTH)].mean() for m in range(12)]
    assert mean_one(means) == pytest.approx(mean_one(profile.temporal.months), rel=0.05)


def test_weekday_factors(receipts: Array, named: Array, profile: Profile) -> None:
    _, weekdays = factors_of(receipts, named < 0)
    assert weekdays == pytest.approx(mean_one(profile.temporal.weekdays), rel=0.05)
    assert weekdays[[0, 4, 5]] == pytest.approx([0.70, 1.20, 1.40], rel=0.05)


@pytest.mark.parametrize("weekend", [False, True])
def test_hour_shares(
    year: Year, world: World, named: Array, profile: Profile, weekend: bool
) -> None:
    """To the point, in every kind of opening hours."""
    half_hours = profile.temporal.half_hours_weekend if weekend else profile.temporal.half_hours
    kinds = set(zip(world.stores.open_hour.tolist(), world.stores.close_hour.tolist(), strict=True))
    assert len(kinds) > 1
    for opens, closes in kinds:
        stores = (world.stores.open_hour == opens) & (world.stores.close_hour == closes)
        mine = stores[year.store] & (named[year.day] < 0)
        mine &= (WEEKDAY[year.day] >= 5) == weekend
        found = np.bincount(year.second[mine] // 3600, minlength=24) / mine.sum()
        wanted = np.array(half_hours).reshape(24, 2).sum(axis=1)
        wanted[:opens] = wanted[closes:] = 0
        assert found == pytest.approx(wanted / wanted.sum(), abs=0.01)
        assert not found[wanted == 0].any()


def test_lunch_and_after_work_are_peaks(year: Year, named: Array) -> None:
    mine = (named[year.day] < 0) & (WEEKDAY[year.day] < 5)
    per_half_hour = np.bincount(year.second[mine] // 1800, minlength=48)
    lunch, after_work = per_half_hour[23:27].mean(), per_half_hour[34:40].mean()
    quiet = np.concatenate([per_half_hour[18:22], per_half_hour[28:32]]).mean()
    assert lunch > 1.4 * quiet
    assert after_work > 1.4 * quiet


def of_rule(profile: Profile, named: Array, rule: str) -> Array:
    rules = [day.rule for day in profile.temporal.named_days]
    return named == rules.index(rule)  # type: ignore[arg-type]


def test_black_friday_is_three_and_a_half_average_days(
    receipts: Array, named: Array, profile: Profile
) -> None:
    busiest = of_rule(profile, named, "black_friday")
    assert busiest.sum() == 1
    assert receipts[busiest][0] / receipts.mean() == pytest.approx(3.5, rel=0.10)
    assert receipts.argmax() == busiest.argmax()


def test_black_friday_has_longer_hours(
    year: Year, world: World, named: Array, profile: Profile
) -> None:
    hour = year.second // 3600
    beyond = (hour < world.stores.open_hour[year.store]) | (
        hour >= world.stores.close_hour[year.store]
    )
    longer = of_rule(profile, named, "black_friday") | of_rule(profile, named, "before_christmas")
    per_day = np.bincount(year.day[beyond], minlength=DAYS)
    assert (per_day[longer] > 0).all()
    assert not per_day[~longer].any()


def test_the_days_before_christmas_are_twice_as_busy(
    receipts: Array, named: Array, profile: Profile
) -> None:
    days = of_rule(profile, named, "before_christmas")
    assert days.sum() == 10
    assert receipts[days].mean() / receipts.mean() == pytest.approx(2.0, rel=0.05)


def test_christmas_day_is_closed(receipts: Array, named: Array, profile: Profile) -> None:
    closed = of_rule(profile, named, "christmas_day")
    assert receipts[closed].tolist() == [0]
    assert (receipts[~closed] > 0).all()


def test_gifts_are_bought_before_christmas(
    year: Year, world: World, category: Array, named: Array, profile: Profile
) -> None:
    day = year.day[year.receipt]
    late = of_rule(profile, named, "before_christmas")
    early = (MONTH == 11) & (named < 0)
    gifts = np.isin(category, [world.categories.index("Cards and Gift Wrap")])
    assert gifts[late[day]].mean() > 1.5 * gifts[early[day]].mean()


def share_of_month(category: Array, day: Array, of: int) -> Array:
    """Share of each month's lines that are of a category, over that of the year."""
    month = MONTH[day]
    per_month = np.bincount(month[category == of], minlength=12) / np.bincount(month, minlength=12)
    return per_month / (category == of).mean()


def test_seasons_of_categories(year: Year, world: World, category: Array, profile: Profile) -> None:
    day = year.day[year.receipt]
    rows = {name: row for row, name in enumerate(world.categories)}
    school = share_of_month(category, day, rows["School Supplies"])
    assert school.argmax() in (6, 7)
    assert school[7] > 1.5
    grills = share_of_month(category, day, rows["Grills and Barbecue"])
    assert grills[4:8].min() > 1.3 * grills[[0, 1, 10, 11]].max()


def test_the_daily_mean_is_customers_per_day(receipts: Array) -> None:
    assert receipts.mean() == pytest.approx(VOLUME.customers_per_day, rel=0.01)


def test_the_daily_mean_of_online_orders(year: Year, profile: Profile) -> None:
    assert year.orders.mean() == pytest.approx(VOLUME.online_orders_per_day, rel=0.01)
    assert year.order_lines.sum() / year.orders.sum() == pytest.approx(
        profile.online.lines_mean, rel=0.02
    )


def test_mean_lines_per_receipt(year: Year) -> None:
    mean = len(year.receipt) / len(year.day)
    assert mean == pytest.approx(VOLUME.items_per_ticket_mean, rel=0.02)


def test_many_small_baskets_and_few_large_ones(year: Year) -> None:
    size = np.bincount(year.receipt)
    assert 0.2 < (size == 1).mean() < 0.4
    assert np.median(size) < size.mean()
    assert 18 < np.percentile(size, 99) < 35
    assert (np.diff(np.bincount(size, minlength=12)[1:12]) < 0).all(), "fewer of each larger size"


def test_segments_have_their_baskets(year: Year, segment: Array) -> None:
    """Budget-conscious: longer baskets; convenience-focused: quick trips; brand-loyal: moderate."""
    size = np.bincount(year.receipt)
    mean = [size[segment == of].mean() for of in range(len(SEGMENTS))]
    assert mean[BUDGET] > 1.15 * mean[LOYAL]
    assert mean[LOYAL] > 1.2 * mean[CONVENIENCE]
    assert mean[QUALITY] > 1.2 * mean[CONVENIENCE]


def test_segments_have_their_price_level(
    year: Year, world: World, category: Array, segment: Array
) -> None:
    """Price paid over the mean of the category: quality seekers highest, budget lowest."""
    count = len(world.categories)
    typical = np.bincount(category, year.price, count) / np.bincount(category, minlength=count)
    level = year.price / typical[category]
    mean = [level[segment[year.receipt] == of].mean() for of in range(len(SEGMENTS))]
    assert mean[QUALITY] > mean[CONVENIENCE] > mean[BUDGET]
    assert mean[QUALITY] > mean[LOYAL] > mean[BUDGET]
    assert mean[QUALITY] > 1.15 * mean[BUDGET]


def test_segments_answer_promotions_differently(year: Year, segment: Array) -> None:
    promoted = year.promotion >= 0
    share = [promoted[segment[year.receipt] == of].mean() for of in range(len(SEGMENTS))]
    assert share[BUDGET] > 1.3 * max(share[CONVENIENCE], share[QUALITY], share[LOYAL])


def test_returns(year: Year) -> None:
    """Of lines whose time to come back lies within the year."""
    sold = np.bincount(year.day[year.receipt], minlength=DAYS)
    known = np.arange(DAYS) < DAYS - 33
    assert year.returned[known].sum() / sold[known].sum() == pytest.approx(0.07, abs=0.005)


def test_named_pairs_are_bought_together(
    year: Year, world: World, category: Array, profile: Profile
) -> None:
    assert len(profile.affinities) >= 8
    for pair in profile.affinities:
        one, other = (np.zeros(len(year.day), dtype=bool) for _ in pair)
        one[year.receipt[category == world.categories.index(pair[0])]] = True
        other[year.receipt[category == world.categories.index(pair[1])]] = True
        lift = (one & other).mean() / (one.mean() * other.mean())
        assert lift > 1.5, pair


def test_what_sensors_and_campaigns_record_per_thousand_receipts(year: Year) -> None:
    receipts = len(year.day) / 1000
    assert year.pings.sum() / receipts == pytest.approx(10_000, rel=0.05)
    assert year.foot_rows.sum() / receipts == pytest.approx(1_200, rel=0.05)
    assert year.impressions.sum() / receipts == pytest.approx(750, rel=0.05)


def test_few_meet_an_empty_shelf(year: Year) -> None:
    lost = year.lost.sum()
    assert 0 < lost / (lost + len(year.receipt)) < 0.02


def test_popularity_has_a_long_tail(year: Year, world: World) -> None:
    sold = np.sort(np.bincount(year.product, minlength=len(world.products.product_id)))[::-1]
    fifth = len(sold) // 5
    assert 0.4 < sold[:fifth].sum() / sold.sum() < 0.8
    assert (sold > 0).mean() > 0.95


def test_distance_decides_the_store(year: Year, world: World) -> None:
    near = world.customers.stores[year.customer]
    shares = [(near[:, place] == year.store).mean() for place in range(3)]
    assert shares[0] > 0.6
    assert shares[0] > 3 * shares[1] > 3 * shares[2] > 0


def test_nobody_pays_twice_within_half_an_hour(year: Year) -> None:
    moment = year.day.astype(np.int64) * 86_400 + year.second
    order = np.lexsort((moment, year.customer))
    again = (np.diff(year.customer[order]) == 0) & (np.diff(moment[order]) < 1800)
    assert again.mean() < 0.001


def test_prices_rise_slowly(year: Year, profile: Profile) -> None:
    """Medians of January and December, so that promotions do not count."""
    month = MONTH[year.day[year.receipt]]

    def typical(of: int) -> dict[int, float]:
        mine = (month == of) & (year.promotion < 0)
        order = np.argsort(year.product[mine], kind="stable")
        product, price = year.product[mine][order], year.price[mine][order]
        first = np.flatnonzero(np.diff(product, prepend=-1))
        parts = np.split(price, first[1:])
        return {int(p): float(np.median(of)) for p, of in zip(product[first], parts, strict=True)}

    january, december = typical(0), typical(11)
    both = [p for p in january if p in december]
    change = np.median([december[p] / january[p] for p in both]) - 1
    assert len(both) > 1000
    assert 100 * change == pytest.approx(profile.inflation_percent, abs=1.5)


@pytest.fixture(scope="module")
def lines_of(year: Year, world: World, segment: Array) -> Callable[[Array, Array, int], int]:
    """Lines of some products on some days by a segment.

    First lines are left out: who follows an impression begins with what it offered.
    """
    products = len(world.products.product_id)
    later = np.diff(year.receipt, prepend=-1) == 0
    receipt = year.receipt[later]
    row = segment[receipt].astype(np.int64) * products + year.product[later]
    lines = np.bincount(row * DAYS + year.day[receipt], minlength=len(SEGMENTS) * products * DAYS)
    cube = lines.reshape(len(SEGMENTS), products, DAYS)
    return lambda rows, days, of: int(cube[of][np.ix_(rows, days)].sum())


@pytest.mark.parametrize("elasticity", [1.5, 2.0, 2.5, 3.0])
def test_demand_answers_to_price_with_the_category_s_elasticity(
    year: Year,
    world: World,
    segment: Array,
    profile: Profile,
    lines_of: Callable[[Array, Array, int], int],
    elasticity: float,
) -> None:
    """Promoted products against the rest of their category, that fortnight and around it.

    The elasticity is the one at which the expected lines add up to those that were sold; how
    strongly a segment answers promotions as such is known from the profile.
    """
    promotions, products = world.promotions, world.products
    by_name = {c.name: c for c in profile.categories}
    response = [profile.segments[name].promo_response for name in SEGMENTS]
    sold = 0
    expected: list[tuple[float, float]] = []
    for row in np.flatnonzero((promotions.first_day >= FIRST) & (promotions.last_day <= LAST)):
        of = by_name[world.categories[promotions.category[row]]]
        if of.elasticity != elasticity or of.markdown_months or promotions.subcategory[row] < 0:
            continue
        in_category = products.category == promotions.category[row]
        offered = np.flatnonzero(products.subcategory == promotions.subcategory[row])
        others = np.flatnonzero(in_category & (products.subcategory != promotions.subcategory[row]))
        busy = np.zeros(DAYS, dtype=int)
        for other in np.flatnonzero(promotions.category == promotions.category[row]):
            from_day = max(int(promotions.first_day[other]) - FIRST, 0)
            busy[from_day : max(int(promotions.last_day[other]) - FIRST + 1, 0)] += 1
        first, last = promotions.first_day[row] - FIRST, promotions.last_day[row] - FIRST
        during = np.arange(first, last + 1)
        around = np.arange(max(first - 60, 0), min(last + 61, DAYS))
        before = around[busy[around] == 0]
        if not len(others) or len(before) < 20 or (busy[during] != 1).any():
            continue
        for number in range(len(SEGMENTS)):
            usual = lines_of(offered, before, number) / max(lines_of(others, before, number), 1)
            base = usual * lines_of(others, during, number) * response[number]
            expected.append((base, 1 - promotions.percent[row] / 100))
            sold += lines_of(offered, during, number)
    assert sold > 400
    low, high = 0.0, 6.0
    for _ in range(40):
        middle = (low + high) / 2
        reached = sum(base * ratio**-middle for base, ratio in expected)
        low, high = (middle, high) if reached < sold else (low, middle)
    assert low == pytest.approx(elasticity, abs=0.35)


def test_some_impressions_lead_to_receipts_with_their_promo_code(year: Year) -> None:
    """More of those who saw one buy in the four days after it than in the four days before."""
    pair = year.customer[year.receipt].astype(np.int64) * 4096 + year.promotion
    bought = np.unique(
        (pair * 512 + year.day[year.receipt] + 8)[year.promotion >= 0].astype(np.int64)
    )
    seen = (year.seen_by.astype(np.int64) * 4096 + year.seen_promotion) * 512 + year.seen_day + 8

    def share(days: tuple[int, ...]) -> float:
        hits = np.zeros(len(seen), dtype=bool)
        for later in days:
            hits |= np.isin(seen + later, bought)
        return float(hits.mean())

    after, before = share((1, 2, 3, 4)), share((-1, -2, -3, -4))
    assert after * len(seen) > 1000
    assert 0.003 < after - before < 0.02
