"""What commands print on: words as they stand, and colours where they are wanted."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from rich.console import Console


def console(out: TextIO | None = None) -> Console:
    """A console on the standard output, or on `out`.

    With NO_COLOR there are no colours on a terminal, and elsewhere no codes at all.
    """
    file = out or sys.stdout
    plain = bool(os.environ.get("NO_COLOR")) and not (file and file.isatty())
    return Console(
        file=file, markup=False, highlight=False, force_terminal=False if plain else None
    )
