"""Tables that are no days of facts: customers, products, and their histories."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from retail_datagen.partitions.layout import DEFAULT_VALUE, Partition
from retail_datagen.schema.table import Table

_UNSAFE = re.compile(r"[\x00-\x1f\x7f\"#%'*/:=?\\{}\[\]^]")
"""What Hive does not have in the name of a folder."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """A table that is written once, cut by the values of a column that its files then lack.

    `render` gives the rows of one of the `values`; None is for rows without a value. What is
    `fixed` depends on the lake's identity alone: a partition that is there is left as it is.
    Others are rendered by each job, replaced where they changed and removed where they are gone.
    """

    table: Table
    by: str
    values: Sequence[str | None]
    render: Callable[[str | None], pa.Table]
    fixed: bool = True

    def partition(self, value: str | None) -> Partition:
        """Where the rows of a value lie."""
        text = DEFAULT_VALUE if value is None else _UNSAFE.sub(_escape, value)
        return Partition(self.table.name, self.by, text)

    def partitions(self) -> Iterator[tuple[Partition, str | None]]:
        """All of them with their values, in order."""
        for value in self.values:
            yield self.partition(value), value


def _escape(match: re.Match[str]) -> str:
    return f"%{ord(match[0]):02X}"
