"""How a table is declared, once; Arrow, Parquet settings, CSV, checks and docs derive from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import pyarrow as pa


class Kind(Enum):
    """What a column holds, independent of any file format."""

    INT = "integer"
    LONG = "long integer"
    MONEY = "money"
    TIMESTAMP = "timestamp"
    DATE = "date"
    TEXT = "text"
    CATEGORY = "category"
    FLAG = "flag"
    FLOAT = "float"


class Encoding(Enum):
    """How a column's values follow each other, which decides how Parquet stores them best."""

    PLAIN = "plain"
    DICTIONARY = "dictionary"
    DELTA = "delta"
    """Integers and times that are sorted or small."""
    DELTA_TEXT = "delta_text"
    """Texts that share a prefix with the one above: identifiers in sequence."""


_ARROW = {
    Kind.INT: pa.int32(),
    Kind.LONG: pa.int64(),
    Kind.MONEY: pa.decimal64(12, 2),
    Kind.TIMESTAMP: pa.timestamp("s"),
    Kind.DATE: pa.date32(),
    Kind.TEXT: pa.string(),
    Kind.CATEGORY: pa.dictionary(pa.int32(), pa.string()),
    Kind.FLAG: pa.bool_(),
    Kind.FLOAT: pa.float64(),
}
_ENCODING = {
    Kind.INT: Encoding.DICTIONARY,
    Kind.LONG: Encoding.DELTA,
    Kind.MONEY: Encoding.DELTA,
    Kind.TIMESTAMP: Encoding.DELTA,
    Kind.DATE: Encoding.DICTIONARY,
    Kind.TEXT: Encoding.PLAIN,
    Kind.CATEGORY: Encoding.DICTIONARY,
    Kind.FLAG: Encoding.PLAIN,
    Kind.FLOAT: Encoding.PLAIN,
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in files, what it holds and what it means.

    `references` names the column it points to, as `"stores.StoreID"`. `null` says whether a
    value may be absent. `words` are all values that a category may have, where they are fixed.
    `encoding` overrides the one that the kind suggests. `unique`: no two rows have the same value,
    though the column is not the table's key.
    """

    name: str
    kind: Kind
    doc: str
    references: str = ""
    null: bool = False
    encoding: Encoding | None = None
    example: str = ""
    words: tuple[str, ...] = ()
    unique: bool = False

    @property
    def arrow_type(self) -> pa.DataType:
        return _ARROW[self.kind]

    @property
    def storage(self) -> Encoding:
        return self.encoding or _ENCODING[self.kind]


@dataclass(frozen=True, slots=True)
class Changes:
    """Says of a table that each row is a change of a row of `table`, which its `key` identifies.

    Its columns are `op`, when and in which place the change came, the key, and each other column of
    that table twice, as it was before and after: `before_status`, `after_status`.
    """

    table: str
    key: tuple[str, ...]


_ORDERED_BY = ("StoreID", "DCID", "ProductID", "CustomerID", "OrderId", "TraceId")
"""What happens at a place stays in order; else what happens to a product, a customer, an order."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its columns in file order and the columns that identify a row.

    As events its rows are messages of `topic`, keyed by the value of the column `message_key`, in
    whose order they stay. `schema_version` counts declarations with other columns. `changes` is
    given where rows are changes of another table's: messages nest and key them in their own way.
    """

    name: str
    doc: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    namespace: str = "retail"
    topic: str = ""
    message_key: str = ""
    schema_version: int = 1
    changes: Changes | None = None

    def __post_init__(self) -> None:
        if not self.topic:
            # A fact table and an event of the same name (price changes) have topics of their own.
            lead = "facts-" if self.namespace == "retail" else ""
            name = self.name.removeprefix("retail_").replace("_", "-")
            object.__setattr__(self, "topic", f"retail-{lead}{name}")
        if not self.message_key:
            names = (*(name for name in _ORDERED_BY if name in self.header), *self.header, "")
            object.__setattr__(self, "message_key", names[0])

    @property
    def time_column(self) -> str:
        """The column that says when a row happened: the first timestamp, or "" without one."""
        return next((c.name for c in self.columns if c.kind is Kind.TIMESTAMP), "")

    @property
    def arrow(self) -> pa.Schema:
        """The Arrow schema of a batch of this table."""
        return pa.schema([pa.field(c.name, c.arrow_type, nullable=c.null) for c in self.columns])

    @property
    def header(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name. Raises KeyError."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")
