"""What a catalog says of tables and partitions is what a lake is held to."""

from __future__ import annotations

from dataclasses import replace

from small_lake import FIRST, STAMP, TABLES

from retail_datagen.engine.source import Identity
from retail_datagen.lake.catalog import Catalog, CatalogColumn, Details, catalog_table
from retail_datagen.lake.declared import MESS, declared_tables, expected_of, known_tables
from retail_datagen.lake.verify import Expected
from retail_datagen.partitions.layout import INGEST, Partition
from retail_datagen.partitions.manifest import Manifest
from retail_datagen.schema import Kind

BOOKS = Partition("product_catalog", "category", "Books")
MANIFEST = Manifest(BOOKS, (), None, None, STAMP, "2026-01-01T00:00:00")
ORDERS = catalog_table(TABLES["orders"], INGEST, ())


def catalog(**options: object) -> Catalog:
    products = catalog_table(TABLES["product_catalog"], "category", [MANIFEST])
    details = Details(options=options)
    identity = Identity("1.0", "c", "m", {})
    tables = (ORDERS, products)
    return Catalog(identity, details, 1, FIRST, FIRST, FIRST + 9, tables, True, "2026-01-01")


def test_clean_tables_are_as_they_are_known() -> None:
    assert declared_tables(catalog(), TABLES) == {
        name: TABLES[name] for name in ("orders", "product_catalog")
    }
    assert declared_tables(None, TABLES) == TABLES


def test_columns_that_a_mess_changed_are_as_the_catalog_says() -> None:
    changed = {
        "order_date": {"type": "string"},
        "net_total": {"null": True},
    }
    columns = tuple(replace(c, **changed.get(c.name, {})) for c in ORDERS.columns)
    more = CatalogColumn("campaign", "string", True, "New.")
    messy = replace(catalog(), tables=(replace(ORDERS, columns=(*columns, more)),))
    orders = declared_tables(messy, TABLES)["orders"]
    assert (orders.key, orders.namespace) == (("order_id",), "ecom")
    assert orders.column("order_date").kind is Kind.TEXT
    assert orders.column("net_total").null
    assert orders.column("order_id") == TABLES["orders"].column("order_id")
    assert orders.header[-1] == "campaign"
    unknown = replace(messy, tables=(replace(messy.tables[0], name="orders_truth"),))
    assert declared_tables(unknown, TABLES)["orders_truth"].key == ()


def test_what_is_expected_stands_in_the_catalog() -> None:
    mess = {"duplicates": 0.1, "typos": 0.0}
    found = expected_of(catalog(**{MESS: mess}))
    wanted = Expected(FIRST, FIRST + 9, ("orders",), (BOOKS,), frozenset({"duplicates"}))
    assert found == wanted
    assert expected_of(None) is None


def test_all_tables_of_the_shop_and_the_retailer_are_known() -> None:
    assert {"orders", "return_items", "customers", "product_history", "receipts"} <= set(
        known_tables()
    )
