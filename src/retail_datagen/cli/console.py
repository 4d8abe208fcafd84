"""What commands print on: words as they stand, and colours where they are wanted."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from rich.console import Console
from rich.table import Table


def console(out: TextIO | None = None) -> Console:
    """A console on the standard output, or on `out`.

    With NO_COLOR there are no colours on a terminal, and elsewhere no codes at all.
    """
    file = out or sys.stdout
    plain = bool(os.environ.get("NO_COLOR")) and not (file and file.isatty())
    return Console(
        file=file, markup=False, highlight=False, force_terminal=False if plain else None
    )


def figures(name: str, *columns: str) -> Table:
    """A table of what `name` says, with figures to the right of it."""
    table = Table(name, *columns, box=None, header_style="bold", pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    return table
