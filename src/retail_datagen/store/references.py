"""The item references of products: the part of an EPC that all of a product's items share.

Whatever writes EPCs takes them from here, so that a product has one, whoever tagged its items.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, func, or_, select

from retail_datagen.store.database import models as m
from retail_datagen.store.database.bulk import among
from retail_datagen.store.epc import COMPANY, ITEM_DIGITS, MOST_SERIAL, Sgtin, encode, ours

_FIRST, _COUNT = 700_000, 300_000
"""References of products whose items have no EPC of ours: by their id, from the first on."""
_REFERENCE_ENDS = 15
"""By this digit an EPC has said its item reference; few bits of the serial follow within."""
_FILTERS = range(8)
_items = m.inventory_items.c


def written_references(connection: Connection, products: Collection[int]) -> dict[int, str]:
    """The item reference, indicator first, of those products that have items with EPCs of ours."""
    head = func.substr(_items.epc, 1, _REFERENCE_ENDS)
    heads = select(_items.product_id, head).where(
        among(connection, _items.product_id, products), _items.epc.is_not(None)
    )
    found: dict[int, str] = {}
    for product, text in connection.execute(heads.distinct()):
        if said := ours(text.ljust(24, "0")):
            found.setdefault(product, said.item)
    return found


def item_references(connection: Connection, products: Collection[int]) -> dict[int, int]:
    """The item reference of each product (an id): what its items say, else one that is free."""
    written = written_references(connection, products)
    found = {product: int(item) for product, item in written.items()}
    given: set[int] = set()
    for product in sorted(set(products) - found.keys()):
        found[product] = _free(connection, product, given)
        given.add(found[product])
    return found


def _free(connection: Connection, product: int, given: set[int]) -> int:
    """The first reference from a product's own on that no item has, and none was `given`."""
    for step in range(_COUNT):
        reference = _FIRST + (product + step) % _COUNT
        if reference not in given and not _is_written(connection, reference):
            return reference
    raise ValueError(f"all {_COUNT:,} item references from {_FIRST:,} on are other products'")


def _is_written(connection: Connection, reference: int) -> bool:
    item = f"{reference:0{ITEM_DIGITS + 1}}"
    ends = [
        [encode(Sgtin(filter, COMPANY, item, serial)) for serial in (0, MOST_SERIAL)]
        for filter in _FILTERS
    ]
    spans = [_items.epc.between(first, last) for first, last in ends]
    return connection.scalar(select(_items.id).where(or_(*spans)).limit(1)) is not None
