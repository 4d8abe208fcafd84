"""Promotions and the campaigns that tell people about them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain, count

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retail_datagen.config.models import RetailConfig
from retail_datagen.config.parts import SEGMENTS
from retail_datagen.config.profile import Profile
from retail_datagen.core import calendar
from retail_datagen.core.ids import texts
from retail_datagen.core.rng import Stream
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.world.arrow import numpy_of, rows
from retail_datagen.world.files import MasterFile
from retail_datagen.world.model import Campaigns, Promotions
from retail_datagen.world.promotion_dates import Dice, Span, spans

_PERCENTS = (10, 15, 20, 25, 30, 35, 40)
_OFTEN = [18, 26, 26, 16, 9, 3, 2]
_BLACK_FRIDAY_OFTEN = [0, 0, 15, 25, 30, 15, 15]
_WHOLE_CATEGORY = 5
"""One promotion in so many covers a whole category."""
_TRIES = 8
_DRAWS = 64
"""Random numbers per promotion, more than ever needed."""

PROMOTIONS = Table(
    name="promotions",
    doc="Price promotions of a category or subcategory.",
    columns=(
        Column("PromoCode", Kind.TEXT, "Identifier", example="DAI15-24W23"),
        Column("PromotionName", Kind.TEXT, "Name"),
        Column("Category", Kind.CATEGORY, "Category of products: one of the profile's"),
        Column("Subcategory", Kind.TEXT, "Subcategory; empty for the whole category", null=True),
        Column("DiscountPercent", Kind.INT, "Percent off the price", example="15"),
        Column("StartDate", Kind.DATE, "First day"),
        Column("EndDate", Kind.DATE, "Last day"),
    ),
    key=("PromoCode",),
)

CAMPAIGNS = Table(
    name="campaigns",
    doc="Marketing campaigns, each for a promotion.",
    columns=(
        Column("CampaignId", Kind.TEXT, "Identifier", example="CAMP20240101"),
        Column("CampaignName", Kind.TEXT, "Name"),
        Column("PromoCode", Kind.TEXT, "Promotion", references="promotions.PromoCode"),
        Column("TargetSegment", Kind.CATEGORY, "Segment; empty for everybody", null=True),
        Column("StartDate", Kind.DATE, "First day"),
        Column("EndDate", Kind.DATE, "Last day"),
        Column("Weight", Kind.INT, "Relative number of impressions", example="5"),
    ),
    key=("CampaignId",),
)


@dataclass(frozen=True, slots=True)
class _Promotion:
    code: str
    category: str
    subcategory: str
    percent: int
    span: Span

    @property
    def what(self) -> str:
        return self.subcategory or self.category


@dataclass(frozen=True, slots=True)
class _Campaign:
    identifier: str
    promotion: _Promotion
    segment: str
    weight: int


Assortment = dict[str, tuple[str, ...]]
"""Subcategories that products have, by category."""


def build_marketing(
    config: RetailConfig, profile: Profile, assortment: Assortment
) -> tuple[pa.Table, pa.Table]:
    """(promotions, campaigns) of every year of the calendar; each year is drawn by itself."""
    first, last = calendar.to_day(config.calendar.first), calendar.to_day(config.calendar.last)
    promotions: list[_Promotion] = []
    campaigns: list[_Campaign] = []
    codes: set[str] = set()
    for year in range(config.calendar.first.year, config.calendar.last.year + 1):
        dice = _dice(config.seed, "promotions", year, profile.marketing.promotions_per_year)
        dates = spans(
            year,
            profile.marketing.promotions_per_year,
            profile.marketing.campaigns_per_year,
            profile.temporal.country,
            dice,
        )
        mine = _promotions(dates, assortment, codes, dice)
        dice = _dice(config.seed, "campaigns", year, profile.marketing.campaigns_per_year)
        told = _campaigns(mine, profile.marketing.campaigns_per_year, dice)
        promotions += [p for p in mine if p.span.first <= last and p.span.last >= first]
        campaigns += [c for c in told if c.promotion.span.first <= last]
    campaigns = [c for c in campaigns if c.promotion.span.last >= first]
    return _promotion_rows(promotions, first, last), _campaign_rows(campaigns, first, last)


def build_campaigns(config: RetailConfig, profile: Profile, promotions: pa.Table) -> pa.Table:
    """Campaigns for promotions of the user's own, chosen evenly where there are too many."""
    first, last = calendar.to_day(config.calendar.first), calendar.to_day(config.calendar.last)
    by_year: dict[int, list[_Promotion]] = {}
    for row in promotions.sort_by([("StartDate", "ascending")]).to_pylist():
        span = Span(calendar.to_day(row["StartDate"]), calendar.to_day(row["EndDate"]), "chain")
        own = _Promotion(
            row["PromoCode"], row["Category"], row["Subcategory"], row["DiscountPercent"], span
        )
        if span.first <= last and span.last >= first:
            by_year.setdefault(row["StartDate"].year, []).append(own)
    campaigns: list[_Campaign] = []
    number = profile.marketing.campaigns_per_year
    for year, mine in by_year.items():
        dice = _dice(config.seed, "campaigns", year, number)
        some = [mine[i * len(mine) // number] for i in range(number)]
        campaigns += _campaigns(mine if len(mine) <= number else some, number, dice)
    return _campaign_rows(campaigns, first, last)


def _dice(seed: int, name: str, year: int, rows: int) -> Dice:
    day = calendar.to_day(date(year, 1, 1))
    return Dice(Stream(seed, name, day), _DRAWS * rows + 366)


def _promotions(
    dates: list[Span], assortment: Assortment, codes: set[str], dice: Dice
) -> list[_Promotion]:
    """What each promotion of a year is for; no product is in two of them at a time, if possible."""
    categories = list(assortment)
    made: list[_Promotion] = []
    for span in dates:
        category, subcategory = "", ""
        for _ in range(_TRIES):
            category = categories[dice.below(len(categories))]
            parts = assortment[category]
            whole = dice.below(_WHOLE_CATEGORY) == 0
            subcategory = "" if whole else parts[dice.below(len(parts))]
            if not any(_overlap(p, category, subcategory, span) for p in made):
                break
        often = _BLACK_FRIDAY_OFTEN if span.kind == "black_friday" else _OFTEN
        percent = _PERCENTS[dice.pick(often)]
        code = _code(category, percent, span, codes)
        codes.add(code)
        made.append(_Promotion(code, category, subcategory, percent, span))
    return made


def _overlap(other: _Promotion, category: str, subcategory: str, span: Span) -> bool:
    return (
        other.category == category
        and (other.subcategory == subcategory or not other.subcategory or not subcategory)
        and other.span.first <= span.last
        and span.first <= other.span.last
    )


def _code(category: str, percent: int, span: Span, taken: set[str]) -> str:
    """Such as DAI15-24W23: category, percent, year and week; a letter more when it is taken."""
    first = calendar.to_date(span.first)
    letters = re.sub("[^A-Z]", "", category.upper())[:3].ljust(3, "X")
    week = (first - date(first.year, 1, 1)).days // 7 + 1
    code = f"{letters}{percent}-{first:%y}W{week:02}"
    suffixes = chain([""], "BCDEFGHJKLMNPQRSTUVWXYZ", map(str, count(100)))
    return code + next(suffix for suffix in suffixes if code + suffix not in taken)


def _campaigns(promotions: list[_Promotion], number: int, dice: Dice) -> list[_Campaign]:
    """Campaigns of a year: for everybody through the year, then for the great promotions."""
    all_year = [p for p in promotions if p.span.kind == "chain"]
    great = [p for p in promotions if p.span.kind == "black_friday"]
    rest = [p for p in promotions if p.span.kind == "season"]
    told = all_year + great
    told += [(rest or promotions)[dice.below(len(rest or promotions))] for _ in range(number)]
    starts: Counter[int] = Counter()
    made: list[_Campaign] = []
    for promotion in told[:number]:
        everybody = promotion.span.kind != "season" or dice.below(2) == 0
        segment = "" if everybody else SEGMENTS[dice.below(len(SEGMENTS))]
        weight = 10 if promotion.span.kind == "black_friday" else 2 + dice.below(6)
        starts[promotion.span.first] += 1
        nth = starts[promotion.span.first]
        day = calendar.to_date(promotion.span.first)
        identifier = f"CAMP{day:%Y%m%d}" + (f"{nth:02}" if nth > 1 else "")
        made.append(_Campaign(identifier, promotion, segment, weight))
    return made


def _promotion_rows(promotions: list[_Promotion], first: int, last: int) -> pa.Table:
    return pa.table(
        {
            "PromoCode": _texts([p.code for p in promotions]),
            "PromotionName": _texts([f"{p.percent} % off {p.what}" for p in promotions]),
            "Category": _texts([p.category for p in promotions]),
            "Subcategory": _texts([p.subcategory for p in promotions]),
            "DiscountPercent": pa.array([p.percent for p in promotions], pa.int32()),
            "StartDate": _dates([max(p.span.first, first) for p in promotions]),
            "EndDate": _dates([min(p.span.last, last) for p in promotions]),
        }
    )


def _campaign_rows(campaigns: list[_Campaign], first: int, last: int) -> pa.Table:
    return pa.table(
        {
            "CampaignId": _texts([c.identifier for c in campaigns]),
            "CampaignName": _texts([_title(c.promotion) for c in campaigns]),
            "PromoCode": _texts([c.promotion.code for c in campaigns]),
            "TargetSegment": _texts([c.segment for c in campaigns]),
            "StartDate": _dates([max(c.promotion.span.first, first) for c in campaigns]),
            "EndDate": _dates([min(c.promotion.span.last, last) for c in campaigns]),
            "Weight": pa.array([c.weight for c in campaigns], pa.int32()),
        }
    )


def _title(promotion: _Promotion) -> str:
    if promotion.span.kind == "black_friday":
        return f"Black Friday {promotion.what}"
    return f"{calendar.to_date(promotion.span.first):%B} {promotion.what}"


def _texts(values: Sequence[str]) -> pa.Array:
    return pa.array(values, pa.string())


def _dates(days: list[int]) -> pa.Array:
    return pa.array(np.array(days, dtype=np.int32)).cast(pa.date32())


def read_promotions(
    file: MasterFile, categories: Sequence[str], parts: Sequence[tuple[int, str]]
) -> Promotions:
    """Promotions by first day and code; `parts` are (row of the category, subcategory)."""
    file.unique("PromoCode")
    allowed = "2 to 20 capital letters, digits and -"
    code = file.texts("PromoCode", r"^[A-Z0-9][A-Z0-9-]{1,19}$", allowed)
    keep = ("products.csv",)
    category = file.choices("Category", categories, of=keep[0], keep=keep)
    number = {part: row for row, part in enumerate(parts)}
    names = file.texts("Subcategory").to_pylist()
    cells = list(zip(category.tolist(), names, strict=True))
    subcategory = np.array([number.get(cell, -1) for cell in cells], dtype=np.int64)
    known = subcategory >= 0
    empty = np.array([name == "" for name in names], dtype=np.bool_)
    allowed = "a subcategory of that category in products.csv"
    file.require(known | empty, "Subcategory", allowed, keep)
    percent = file.ints("DiscountPercent", 1, 90)
    first, last = _period(file)
    order = np.lexsort((numpy_of(pc.rank(code, tiebreaker="first")), first))
    return Promotions(
        tuple(code.take(rows(order)).to_pylist()),
        category[order].astype(np.int16),
        subcategory[order].astype(np.int16),
        percent[order].astype(np.int16),
        first[order].astype(np.int32),
        last[order].astype(np.int32),
    )


def read_campaigns(file: MasterFile, promotions: Promotions) -> Campaigns:
    """Campaigns by first day and identifier."""
    file.unique("CampaignId")
    allowed = "4 to 30 letters, digits, _ and -"
    identifier = file.texts("CampaignId", r"^[A-Za-z0-9_-]{4,30}$", allowed)
    codes = file.texts("PromoCode")
    found = pc.index_in(codes, texts(promotions.code))
    allowed, keep = "a PromoCode that promotions.csv has", ("products.csv", "promotions.csv")
    file.require(numpy_of(pc.is_valid(found)), "PromoCode", allowed, keep)
    promotion = numpy_of(found)
    segment = file.choices("TargetSegment", SEGMENTS, also="")
    first, last = _period(file)
    weight = file.ints("Weight", 1, 1_000_000)
    order = np.lexsort((numpy_of(pc.rank(identifier, tiebreaker="first")), first))
    return Campaigns(
        tuple(identifier.take(rows(order)).to_pylist()),
        promotion[order].astype(np.int32),
        segment[order].astype(np.int8),
        first[order].astype(np.int32),
        last[order].astype(np.int32),
        weight[order].astype(np.int32),
    )


def _period(file: MasterFile) -> tuple[np.ndarray, np.ndarray]:
    first, last = file.days("StartDate"), file.days("EndDate")
    file.require(first <= last, "EndDate", "StartDate or a later day")
    return first, last
