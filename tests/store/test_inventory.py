"""What templates make: products, items and where they stand."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retail_datagen.config.errors import ConfigError, UserError
from retail_datagen.store.arrivals import tag_names
from retail_datagen.store.catalogue import ITEMS_PER_VARIANT, Catalogue, read_catalogue
from retail_datagen.store.epc import decode
from retail_datagen.store.floor import CHECKOUT, FLOOR, SHELVES
from retail_datagen.store.items import most_items, plan_inventory, stock_levels

VARIANTS = {
    "Running Shoes": 455,
    "Training Shoes": 84,
    "Basketball Shoes": 84,
    "Athletic T-Shirt": 144,
    "Athletic Shorts": 90,
    "Hoodie": 40,
    "Yoga Pants": 75,
    "Sports Bra": 75,
    "Basketball": 18,
    "Soccer Ball": 18,
    "Yoga Mat": 54,
    "Dumbbells": 60,
    "Resistance Bands": 60,
    "Water Bottle": 84,
    "Gym Bag": 36,
    "Fitness Tracker": 36,
    "Protein Powder": 36,
    "Energy Bar": 36,
    "Foam Roller": 40,
    "Massage Ball": 18,
}
CATEGORIES = {
    "Footwear": 623,
    "Apparel": 424,
    "Sports Equipment": 36,
    "Fitness": 174,
    "Accessories": 120,
    "Electronics": 36,
    "Nutrition": 72,
    "Recovery": 58,
}


@cache
def catalogue() -> Catalogue:
    return read_catalogue()


def test_every_template_has_its_variants() -> None:
    assert Counter(catalogue().template) == VARIANTS
    everything = catalogue().of_templates([])
    assert list(catalogue().categories(everything).items()) == list(CATEGORIES.items())
    assert len(catalogue()) == sum(VARIANTS.values()) == 1543


def test_products_have_the_published_names_and_numbers() -> None:
    row = catalogue().sku.index("RUN-0042")
    assert catalogue().name[row] == "Running Shoes - Pro Black 9"
    assert 5999 <= catalogue().cents[row] <= 17_999
    assert len(set(catalogue().sku)) == len(set(catalogue().name)) == 1543


def test_weights_lie_within_the_demand_classes() -> None:
    found = {name: catalogue().weight[catalogue().of_templates([name])] for name in VARIANTS}
    for name, demand in (("Hoodie", "high"), ("Dumbbells", "medium"), ("Fitness Tracker", "low")):
        least, most = ITEMS_PER_VARIANT[demand]
        assert least <= found[name].min() <= found[name].max() <= most


@pytest.mark.parametrize("count", [0, 1, 1542, 1543, 3000, 5000, 10_000, 100_000])
def test_exactly_as_many_items_as_asked_for(count: int) -> None:
    inventory = plan_inventory(catalogue(), catalogue().of_templates([]), count)
    tags = inventory.items.rfid_tag
    assert len(inventory.items) == len(set(tags)) == len(set(inventory.items.epc)) == count
    assert tags == [f"RFID-{number:08d}" for number in range(1, count + 1)]
    assert len(set(inventory.items.sku)) == min(count, 1543)


def test_the_ceiling_is_ten_times_the_ranges() -> None:
    chosen = catalogue().of_templates(["Fitness Tracker"])
    most = most_items(catalogue(), chosen)
    assert 36 * 20 <= most <= 36 * 60
    inventory = plan_inventory(catalogue(), chosen, most)
    held = Counter(inventory.items.sku)
    assert max(held.values()) <= 60
    assert [held[sku] for sku in inventory.products.sku] == (
        10 * catalogue().weight[chosen]
    ).tolist()
    with pytest.raises(UserError, match=f"items: {most + 1:,} is not possible; allowed are 0 to"):
        plan_inventory(catalogue(), chosen, most + 1)


@settings(deadline=None, max_examples=25)
@given(
    st.integers(0, 20_000),
    st.integers(0, 20_000),
    st.sets(st.sampled_from(sorted(VARIANTS)), min_size=2),
)
def test_a_larger_store_contains_the_smaller_one(one: int, other: int, names: set[str]) -> None:
    chosen = catalogue().of_templates(sorted(names))
    sizes = sorted(min(n, most_items(catalogue(), chosen)) for n in (one, other))
    small, large = (plan_inventory(catalogue(), chosen, n).items for n in sizes)
    assert large.rfid_tag[: len(small)] == small.rfid_tag
    assert large.sku[: len(small)] == small.sku
    assert np.array_equal(large.x[: len(small)], small.x)
    # A tag is of the same product whichever templates are asked for.
    everything = plan_inventory(catalogue(), catalogue().of_templates([]), 30_000).items
    of_tag = dict(zip(everything.rfid_tag, everything.sku, strict=True))
    assert all(
        of_tag.get(tag, sku) == sku for tag, sku in zip(large.rfid_tag, large.sku, strict=True)
    )


@pytest.mark.parametrize("seed", [1, 42])
def test_the_first_tags_are_of_different_products(seed: int) -> None:
    """By which a store of templates is told from a retailer's."""
    catalogue = read_catalogue(seed=seed)
    items = plan_inventory(catalogue, catalogue.of_templates([]), 9000).items
    assert list(items.rfid_tag[:1000]) == tag_names(range(1, 1001))
    assert len(set(items.sku[:1000])) == 1000


def test_items_are_shared_by_weight() -> None:
    inventory = plan_inventory(catalogue(), catalogue().of_templates([]), 24_000)
    held = Counter(inventory.items.sku)
    share = np.array([held[sku] for sku in catalogue().sku]) / catalogue().weight
    assert share.max() - share.min() <= 0.6


def test_a_full_shelf_is_not_below_its_threshold() -> None:
    threshold, optimal = stock_levels(np.arange(100))
    assert (threshold[6], optimal[6]) == (2, 6)
    assert np.all(threshold <= np.arange(100))
    assert np.all(optimal[1:] > threshold[1:])


def test_epcs_say_product_and_tag() -> None:
    inventory = plan_inventory(catalogue(), catalogue().of_templates([]), 2000)
    reference: dict[str, str] = {}
    for tag, epc, sku in zip(
        inventory.items.rfid_tag, inventory.items.epc, inventory.items.sku, strict=True
    ):
        said = decode(epc)
        assert said.serial == int(tag.removeprefix("RFID-"))
        assert reference.setdefault(sku, said.item) == said.item
    assert len(set(reference.values())) == len(reference)


def test_items_stand_in_the_zone_of_their_category() -> None:
    items = plan_inventory(catalogue(), catalogue().of_templates([]), 20_000).items
    box = {zone.id: zone for zone in FLOOR.zones}
    for x, y, zone in zip(items.x, items.y, items.zone_id.tolist(), strict=True):
        assert box[zone].x0 <= x < box[zone].x1
        assert box[zone].y0 <= y < box[zone].y1
    kind = {zone.id: zone.kind for zone in FLOOR.zones}
    category = dict(zip(catalogue().sku, catalogue().category, strict=True))
    found: dict[str, set[str]] = {}
    for sku, zone in zip(items.sku, items.zone_id.tolist(), strict=True):
        found.setdefault(category[sku], set()).add(kind[zone])
    assert found["Footwear"] == {"left_wall"}
    assert found["Apparel"] == {"island"}
    assert found["Electronics"] == {CHECKOUT}
    assert set().union(*found.values()) == set(SHELVES)


def test_zones_do_not_overlap() -> None:
    for one in FLOOR.zones:
        assert 0 <= one.x0 < one.x1 <= FLOOR.width
        assert 0 <= one.y0 < one.y1 <= FLOOR.depth
        for other in FLOOR.zones:
            apart = one.x1 <= other.x0 or other.x1 <= one.x0
            apart = apart or one.y1 <= other.y0 or other.y1 <= one.y0
            assert one is other or apart


def test_unknown_templates_are_told_with_those_there_are() -> None:
    with pytest.raises(UserError) as told:
        catalogue().of_templates(["running shoes", "Shovel", "Spade"])
    assert "there is no template 'Shovel', 'Spade'; there are: Running Shoes," in str(told.value)
    assert str(told.value).endswith("Massage Ball")


OWN = """
templates:
  - name: Kettlebell
    category: Fitness
    sku_prefix: KET
    price: [19.99, 89.99]
    variants: {weight: [8 kg, 16 kg, 24 kg], color: [Black, Gray]}
    demand: low
  - {name: Frisbee, category: Outdoor, sku_prefix: FRI, price: [9.99, 19.99]}
"""


def test_own_templates_are_added(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(OWN)
    more = read_catalogue(file)
    assert len(more) == 1543 + 6 + 1
    assert more.templates[-2:] == ["Kettlebell", "Frisbee"]
    assert more.sku[-7:] == [f"KET-000{n}" for n in range(1, 7)] + ["FRI-0001"]
    assert more.name[-7] == "Kettlebell 8 kg Black"
    # They change neither products nor tags of the others.
    assert more.sku[:1543] == catalogue().sku
    assert np.array_equal(more.cents[:1543], catalogue().cents)
    chosen = more.of_templates([])
    old = plan_inventory(catalogue(), catalogue().of_templates([]), 3000).items
    new = plan_inventory(more, chosen, 3100).items
    of_tag = dict(zip(old.rfid_tag, old.sku, strict=True))
    assert all(of_tag.get(t, s) == s for t, s in zip(new.rfid_tag, new.sku, strict=True))
    assert {"KET-0001", "FRI-0001"} <= set(new.sku)
    assert len(set(new.rfid_tag)) == len(set(new.epc)) == 3100


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("templates: []", "templates has 0 entries"),
        ("templates: [{name: A}]", "sku_prefix is missing"),
        ("things: []", "things is not a field"),
        (OWN.replace("KET", "RUN"), "sku_prefix 'RUN' of 'Kettlebell' is another template's"),
        (OWN.replace("Kettlebell", "hoodie"), "name 'hoodie' is another template's"),
        (OWN.replace("[9.99, 19.99]", "[20, 10]"), "price"),
        (
            OWN.replace("[9.99, 19.99]", "[9.99, 100000000]"),
            "is not possible; allowed are 0.01 to 99,999,999.99",
        ),
        (OWN.replace("[9.99, 19.99]", "[0.001, 19.99]"), "price 0.001 of '"),
    ],
)
def test_wrong_templates_are_told(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"own\.yaml") as error:
        read_catalogue(file)
    assert told in str(error.value)
