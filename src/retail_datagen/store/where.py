"""Where a store is kept unless its user says otherwise; needs none of the extra `store`."""

from __future__ import annotations

DEFAULT_URL = "sqlite:///data/store/store.db"
