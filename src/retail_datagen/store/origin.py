"""What a store was filled with: templates, or one store of a retailer. They do not go together:
their items have the same tags, so that a mixture would be half of each, and no past would fit it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, delete, func, insert, select

from retail_datagen.config.errors import UserError
from retail_datagen.store.arrivals import tag_names
from retail_datagen.store.database import models as m
from retail_datagen.store.database.engine import shown_url, writing
from retail_datagen.store.epc import ours
from retail_datagen.store.items import Inventory

if TYPE_CHECKING:
    from retail_datagen.store.http import StoreClient

_STORE = "retailer_store"
_TRIES = 4
_LOOKED_AT = 1000
"""So many of the items that came first are compared: others' are not all the same by chance."""


@dataclass(frozen=True, slots=True)
class _There:
    """What is told of an item that is there."""

    sku: str
    epc: str


def claim_database(engine: Engine, inventory: Inventory) -> None:
    """Note which store of a retailer this database is, before the inventory comes into it.

    Raises UserError that names what the database holds, where that is something else.
    """
    with writing(engine) as connection:
        _refuse_another(connection, inventory.store)
        _refuse_others(inventory, shown_url(engine), _first_items(connection))
        _note(connection, inventory.store)


def claim_origin(engine: Engine, store: int | None) -> None:
    """The same before a client's inventory comes, who has compared its items with those here."""
    with writing(engine) as connection:
        _refuse_another(connection, store)
        _note(connection, store)


def claim_server(server: StoreClient, inventory: Inventory) -> None:
    """Have the store of a server noted as what the inventory is of, before that comes into it.

    Raises UserError where it is something else.
    """
    path = f"/items?limit={_LOOKED_AT}"
    try:
        first = {
            str(item["rfid_tag"]): _There(str(item["sku"]), str(item.get("epc") or ""))
            for item in server.ask("GET", path)
        }
    except (AttributeError, KeyError, TypeError):
        raise server.answers_strangely(path) from None
    _refuse_others(inventory, server.url, first)
    server.ask("PUT", "/origin", {"store": inventory.store}, tries=_TRIES)


def held_store(connection: Connection) -> int | None:
    """The retailer's store that is in the database; None for templates', or nothing."""
    if not connection.scalar(select(func.count()).select_from(m.products)):
        return None
    return connection.scalar(select(m.counters.c.value).where(m.counters.c.name == _STORE))


def _refuse_another(connection: Connection, store: int | None) -> None:
    held = held_store(connection)
    if held not in (None, store):
        raise _refusal(store, shown_url(connection.engine), f"store {held} of a retailer")


def _note(connection: Connection, store: int | None) -> None:
    if held_store(connection) is None:
        connection.execute(delete(m.counters).where(m.counters.c.name == _STORE))
        if store is not None:
            connection.execute(insert(m.counters).values(name=_STORE, value=store))


def _first_items(connection: Connection) -> dict[str, _There]:
    """The items that came first, by tag."""
    items = m.inventory_items
    columns = select(items.c.rfid_tag, m.products.c.sku, items.c.epc)
    found = columns.join_from(items, m.products).order_by(items.c.id).limit(_LOOKED_AT)
    return {row.rfid_tag: _There(row.sku, row.epc or "") for row in connection.execute(found)}


def _refuse_others(inventory: Inventory, where: str, there: Mapping[str, _There]) -> None:
    """Items of templates may differ, as those of another seed do: they are counted and stay.

    A retailer's do not go with them, also where a database has no note that they are.
    """
    if inventory.store is None:
        _refuse_retailers(where, there)
        return
    for tag, sku in zip(inventory.items.rfid_tag, inventory.items.sku, strict=True):
        if (held := there.get(tag)) and held.sku != sku:
            told = f"other items: {tag} is {held.sku}, not {sku}"
            raise _refusal(inventory.store, where, told)


def _refuse_retailers(where: str, there: Mapping[str, _There]) -> None:
    """Templates give their first tags to one item of each product, a retailer's store to one
    product after the other. What has no EPC of ours is somebody's own, and may be anything."""
    first_of: dict[str, str] = {}
    for tag in tag_names(range(1, _LOOKED_AT + 1)):
        held = there.get(tag)
        if held is None or not ours(held.epc):
            continue
        other = first_of.setdefault(held.sku, tag)
        if other != tag:
            told = f"items of a retailer's store: {other} and {tag} are both {held.sku}"
            raise _refusal(None, where, told)


def _refusal(store: int | None, where: str, held: str) -> UserError:
    wanted = "templates" if store is None else f"store {store}"
    return UserError(
        f"store: {where} holds {held}; {wanted} cannot come into it: give another database by "
        "--database-url, or empty this one with `retail-datagen store reset --database-url …`"
    )
