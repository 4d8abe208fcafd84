"""Lends the fake retailer of the engine's tests, and the servers, to those of the lake."""

from __future__ import annotations

import sys
from pathlib import Path

from services.gcs_server import gcs_server, gcs_url
from services.moto_server import moto_server, s3_url

__all__ = ["gcs_server", "gcs_url", "moto_server", "s3_url"]
ENGINE = str(Path(__file__).parents[1] / "engine")
if ENGINE not in sys.path:
    sys.path.append(ENGINE)
