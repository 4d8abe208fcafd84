"""Where a store is unless its user says otherwise; needs none of the extra `store`."""

from __future__ import annotations

URL_VARIABLE = "STORE_DATABASE_URL"
DEFAULT_URL = "sqlite:///data/store/store.db"
DEFAULT_API = "http://localhost:8000"
