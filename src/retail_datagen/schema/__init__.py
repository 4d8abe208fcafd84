"""Schemas are declared once, as `Table` and `Column`; every format derives from them."""

from retail_datagen.schema.table import Column, Encoding, Kind, Table

__all__ = ["Column", "Encoding", "Kind", "Table"]
