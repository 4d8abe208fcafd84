"""Lends the fake retailer of the engine's tests to those of the lake."""

from __future__ import annotations

import sys
from pathlib import Path

ENGINE = str(Path(__file__).parents[1] / "engine")
if ENGINE not in sys.path:
    sys.path.append(ENGINE)
