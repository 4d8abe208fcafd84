"""Control characters, which no text of master data may hold: terminals and databases choke on them.

Tabs and line breaks are no such: a quoted value may hold them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np

CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def holds_controls(path: Path) -> bool:
    """Whether there is one in a file of UTF-8 text."""
    block = memoryview(bytearray(1 << 18))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(block):
            letters = np.frombuffer(block[:count], np.uint8)
            low = letters < 32
            low &= (letters != 9) & (letters != 10) & (letters != 13)
            if low.any() or (letters == 127).any():
                return True
    return False
