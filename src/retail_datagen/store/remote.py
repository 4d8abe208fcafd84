"""A store's API as the target of an inventory: bulk calls that say what became of each row.

A call whose answer did not come is made again: what it created is then known and skipped.
"""

from __future__ import annotations

import math
import time
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import numpy as np

from retail_datagen.config.errors import UserError
from retail_datagen.store.rows import NO_ZONE, Added, ItemRows, Outcome, ProductRows
from retail_datagen.store.where import DEFAULT_API, DEFAULT_URL, URL_VARIABLE

_TRIES = 4
_WAIT_SECONDS = 0.5
_OUTCOMES = {
    "created": Outcome.CREATED,
    "exists": Outcome.EXISTS,
    "error": Outcome.ERROR,
    "conflict": Outcome.CONFLICT,
}


class StoreApi:
    """The API at a URL. `timeout` in seconds is for each call. A context manager."""

    batch = 1000

    def __init__(self, url: str, timeout: float, key: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UserError(f"api: {url!r} is not a URL; allowed are such as {DEFAULT_API}")
        self.url = url.rstrip("/")
        self._timeout = timeout
        headers = {"X-API-Key": key} if key else {}
        self._client = httpx.Client(base_url=self.url, timeout=timeout, headers=headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def add_products(self, rows: ProductRows) -> Added:
        """Raises UserError when the API cannot be reached or does not take them."""
        columns = zip(
            rows.sku,
            rows.name,
            rows.category,
            (rows.cents / 100).tolist(),
            rows.reorder_threshold.tolist(),
            rows.optimal_stock_level.tolist(),
            strict=True,
        )
        names = (
            "sku",
            "name",
            "category",
            "unit_price",
            "reorder_threshold",
            "optimal_stock_level",
        )
        return self._add("products", [dict(zip(names, row, strict=True)) for row in columns])

    def add_items(self, rows: ItemRows) -> Added:
        """Raises UserError when the API cannot be reached or does not take them."""
        columns = zip(
            rows.rfid_tag,
            (epc or None for epc in rows.epc),
            rows.sku,
            (None if math.isnan(x) else x for x in rows.x.tolist()),
            (None if math.isnan(y) else y for y in rows.y.tolist()),
            (zone if zone != NO_ZONE else None for zone in rows.zone_id.tolist()),
            strict=True,
        )
        names = ("rfid_tag", "epc", "sku", "x_position", "y_position", "zone_id")
        return self._add("items", [dict(zip(names, row, strict=True)) for row in columns])

    def _add(self, what: str, rows: list[dict[str, Any]]) -> Added:
        answer = self._post(f"/{what}/bulk", {what: rows})
        outcome = np.full(len(rows), Outcome.ERROR, dtype=np.uint8)
        errors, conflicts = {}, {}
        try:
            for result in answer["results"]:
                row = range(len(rows)).index(int(result["row"]))
                outcome[row] = _OUTCOMES[result["status"]]
                if result["status"] == "error":
                    errors[row] = str(result.get("detail") or "it was refused")
                elif result["status"] == "conflict":
                    conflicts[row] = str(result.get("detail") or "it is there otherwise")
        except (KeyError, TypeError, ValueError, IndexError):
            raise UserError(
                f"api: {self.url}/{what}/bulk does not answer as a store does"
            ) from None
        return Added(outcome, errors, conflicts)

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        for attempt in range(1, _TRIES + 1):
            try:
                response = self._client.post(path, json=body)
            except httpx.ConnectError as error:
                raise UserError(
                    f"api: {self.url} cannot be reached ({error}); start it with `retail-datagen "
                    f"serve`, or do without a server: --database-url {DEFAULT_URL}, or "
                    f"{URL_VARIABLE}"
                ) from None
            except httpx.TimeoutException:
                if attempt == _TRIES:
                    raise UserError(
                        f"api: {self.url} did not answer within {self._timeout:g} s; give it more "
                        "with --api-timeout, or run the same command again: what is there is "
                        "skipped"
                    ) from None
            except httpx.TransportError as error:
                if attempt == _TRIES:
                    raise UserError(f"api: {self.url}: {error}; run the command again") from None
            else:
                if response.status_code not in (429, 502, 503, 504) or attempt == _TRIES:
                    return self._content(response)
            time.sleep(_WAIT_SECONDS * attempt)
        raise AssertionError("the last try returns or raises")

    def _content(self, response: httpx.Response) -> dict[str, Any]:
        try:
            content = response.json()
        except ValueError:
            content = None
        if not isinstance(content, dict):
            content = {}
        # A refused whole says so row by row as well, where rows are what is wrong with it.
        if response.is_success or "results" in content:
            return content
        detail = content.get("detail") or response.reason_phrase
        hint = "; give the key with --api-key" if response.status_code in (401, 403) else ""
        raise UserError(f"api: {response.request.url} says {response.status_code}: {detail}{hint}")
