"""What a lake's tables ought to look like, and what ought to be there: by its own catalog."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from retail_datagen import tables as retail
from retail_datagen.ecom import tables as shop
from retail_datagen.ecom.history import CUSTOMERS_HISTORY, PRODUCT_HISTORY
from retail_datagen.ecom.lookups import CUSTOMERS, PRODUCT_CATALOG
from retail_datagen.lake.catalog import Catalog, CatalogColumn, CatalogTable, catalog_table
from retail_datagen.lake.verify import Expected
from retail_datagen.partitions.layout import INGEST, Partition
from retail_datagen.schema.table import Column, Kind, Table

MESS = "mess"
"""The option of a catalog that has the switches of a mess and their shares."""
_KINDS = {
    "int": Kind.INT,
    "bigint": Kind.LONG,
    "decimal(12,2)": Kind.MONEY,
    "timestamp": Kind.TIMESTAMP,
    "date": Kind.DATE,
    "string": Kind.TEXT,
    "boolean": Kind.FLAG,
    "double": Kind.FLOAT,
}
"""What a catalog's type is to us, where no declaration says more."""


def known_tables() -> dict[str, Table]:
    """All tables that a lake of ours may hold, by name, as they are without a mess."""
    lookups = (CUSTOMERS, PRODUCT_CATALOG, CUSTOMERS_HISTORY, PRODUCT_HISTORY)
    facts = (fact.table for fact in retail.registry().values())
    of_shop = (fact.table for fact in shop.registry().values())
    return {table.name: table for table in (*facts, *of_shop, *lookups)}


def declared_tables(catalog: Catalog | None, known: Mapping[str, Table]) -> dict[str, Table]:
    """The declarations that a lake is held to.

    Its catalog says which columns there are, of which types: a mess may have changed them. Keys,
    references and the forms of identifiers are those of `known` tables.
    """
    if catalog is None:
        return dict(known)
    return {table.name: _declared(table, known.get(table.name)) for table in catalog.tables}


def expected_of(catalog: Catalog | None) -> Expected | None:
    """What a catalog says ought to be there; of a lake without one, nothing is known."""
    if catalog is None:
        return None
    facts = tuple(t.name for t in catalog.tables if t.partitioned_by == INGEST)
    dimensions = tuple(
        Partition(table.name, table.partitioned_by, partition.value)
        for table in catalog.tables
        if table.partitioned_by != INGEST
        for partition in table.partitions
    )
    switches = catalog.details.options.get(MESS) or {}
    mess = frozenset(name for name, share in dict(switches).items() if share)
    return Expected(catalog.first_day, catalog.last_day, facts, dimensions, mess)


def _declared(table: CatalogTable, known: Table | None) -> Table:
    if known is None:
        columns = tuple(_new(column) for column in table.columns)
        return Table(table.name, table.doc, columns, (), table.namespace)
    types = {c.name: c.type for c in catalog_table(known, table.partitioned_by, ()).columns}
    return replace(
        known,
        columns=tuple(
            replace(known.column(column.name), null=column.null)
            if types.get(column.name) == column.type
            else _new(column)
            for column in table.columns
        ),
    )


def _new(column: CatalogColumn) -> Column:
    return Column(column.name, _KINDS[column.type], column.doc, null=column.null)
