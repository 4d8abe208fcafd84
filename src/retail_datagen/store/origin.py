"""What a store was filled with: templates, or one store of a retailer. They do not go together:
their items have the same tags, so that a mixture would be half of each, and no past would fit it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, delete, func, insert, select

from retail_datagen.config.errors import UserError
from retail_datagen.store.database import models as m
from retail_datagen.store.database.engine import shown_url, writing
from retail_datagen.store.items import Inventory

if TYPE_CHECKING:
    from retail_datagen.store.http import StoreClient

_STORE = "retailer_store"
_LOOKED_AT = 1000
"""So many of the items that came first are compared: others' are not all the same by chance."""


def claim_database(engine: Engine, inventory: Inventory) -> None:
    """Note which store of a retailer this database is, before the inventory comes into it.

    Raises UserError that names what the database holds, where that is something else.
    """
    with writing(engine) as connection:
        held = _held_store(connection)
        if held not in (None, inventory.store):
            raise _refusal(inventory, shown_url(engine), f"store {held} of a retailer")
        _refuse_others(inventory, shown_url(engine), _first_items(connection))
        if held is None:
            connection.execute(delete(m.counters).where(m.counters.c.name == _STORE))
            if inventory.store is not None:
                noted = {"name": _STORE, "value": inventory.store}
                connection.execute(insert(m.counters).values(**noted))


def look_at_server(server: StoreClient, inventory: Inventory) -> None:
    """Raises UserError where the store of a server holds other items than a retailer's store."""
    if inventory.store is None:
        return
    path = f"/items?limit={_LOOKED_AT}"
    try:
        first = {str(item["rfid_tag"]): str(item["sku"]) for item in server.ask("GET", path)}
    except (KeyError, TypeError):
        raise server.answers_strangely(path) from None
    _refuse_others(inventory, server.url, first)


def _held_store(connection: Connection) -> int | None:
    """The retailer's store that is in the database; None for templates', or nothing."""
    if not connection.scalar(select(func.count()).select_from(m.products)):
        return None
    return connection.scalar(select(m.counters.c.value).where(m.counters.c.name == _STORE))


def _first_items(connection: Connection) -> dict[str, str]:
    """The SKUs of the items that came first, by tag."""
    columns = select(m.inventory_items.c.rfid_tag, m.products.c.sku)
    found = columns.join_from(m.inventory_items, m.products).order_by(m.inventory_items.c.id)
    return {row.rfid_tag: row.sku for row in connection.execute(found.limit(_LOOKED_AT))}


def _refuse_others(inventory: Inventory, where: str, there: Mapping[str, str]) -> None:
    """Items of templates may differ, as those of another seed do: they are counted and stay."""
    if inventory.store is None:
        return
    for tag, sku in zip(inventory.items.rfid_tag, inventory.items.sku, strict=True):
        if there.get(tag, sku) != sku:
            raise _refusal(inventory, where, f"other items: {tag} is {there[tag]}, not {sku}")


def _refusal(inventory: Inventory, where: str, held: str) -> UserError:
    wanted = "templates" if inventory.store is None else f"store {inventory.store}"
    return UserError(
        f"store: {where} holds {held}; {wanted} cannot come into it: give another database by "
        "--database-url, or empty this one with `retail-datagen store reset --database-url …`"
    )
