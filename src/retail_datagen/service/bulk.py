"""Bulk calls: many rows, each with an outcome of its own, and none lost in silence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from fastapi import Request, Response
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import from_json

from retail_datagen.service.answers import answer
from retail_datagen.service.problems import Problem, field_errors
from retail_datagen.service.schemas import BulkResult, ItemIn, ProductIn, RowResult
from retail_datagen.service.settings import MOST_ROWS
from retail_datagen.store.rows import NO_ZONE, Added, ItemRows, Outcome, ProductRows

_WORDS = {
    Outcome.CREATED: "created",
    Outcome.EXISTS: "exists",
    Outcome.ERROR: "error",
    Outcome.CONFLICT: "conflict",
}
_Row = TypeVar("_Row", bound=BaseModel)


async def json_body(request: Request) -> bytes:
    """The body of a bulk call. Raises Problem (415) for one that does not say that it is JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (
        kind.startswith("application/") and kind.endswith("+json")
    ):
        raise Problem(415, "a bulk call is JSON: send Content-Type: application/json", "body")
    return await request.body()


def read_rows(
    body: bytes, name: str, kind: type[_Row]
) -> tuple[list[int], list[_Row], dict[int, str]]:
    """The rows under `name`: numbers of those that are sound, these, and what is wrong with others.

    Raises Problem for a body that is not JSON (400), or not an object with a list (422).
    """
    try:
        held = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Problem(400, f"the body is not JSON: {error}", "body") from None
    if not isinstance(held, dict) or not isinstance(held.get(name), list) or len(held) > 1:
        raise Problem(422, f'{name}: the body must be {{"{name}": [...]}} and nothing more', name)
    given: list[Any] = held[name]
    if len(given) > MOST_ROWS:
        raise Problem(422, f"{name}: {len(given):,} rows; at most {MOST_ROWS:,} at once", name)
    try:
        return list(range(len(given))), TypeAdapter(list[kind]).validate_python(given), {}  # type: ignore[valid-type]
    except ValidationError:
        pass  # Row by row, then.
    adapter = TypeAdapter(kind)
    numbers, rows, wrong = [], [], {}
    for number, one in enumerate(given):
        try:
            rows.append(adapter.validate_python(one))
            numbers.append(number)
        except ValidationError as error:
            found = field_errors(error.errors(include_url=False, include_context=False))
            wrong[number] = "; ".join(f"{e.field}: {e.detail}" for e in found)
    return numbers, rows, wrong


def product_rows(rows: Sequence[ProductIn]) -> ProductRows:
    """As the ledger takes them."""
    return ProductRows(
        [row.sku for row in rows],
        [row.name for row in rows],
        [row.category for row in rows],
        np.array([int(row.unit_price * 100) for row in rows], dtype=np.int64),
        np.array([row.reorder_threshold for row in rows], dtype=np.int64),
        np.array([row.optimal_stock_level for row in rows], dtype=np.int64),
    )


def item_rows(rows: Sequence[ItemIn]) -> ItemRows:
    """As the ledger takes them."""
    nan = float("nan")
    return ItemRows(
        [row.rfid_tag for row in rows],
        [row.epc or "" for row in rows],
        [row.sku for row in rows],
        np.array([nan if row.x_position is None else row.x_position for row in rows], np.float64),
        np.array([nan if row.y_position is None else row.y_position for row in rows], np.float64),
        np.array([row.zone_id or NO_ZONE for row in rows], dtype=np.int64),
    )


def bulk_answer(numbers: Sequence[int], added: Added, wrong: dict[int, str]) -> Response:
    """201 where all are created, 200 where the others are there just so, 207 where some are wrong
    or are there with other values."""
    outcomes = dict.fromkeys(wrong, Outcome.ERROR)
    details = dict(wrong)
    for place, number in enumerate(numbers):
        outcomes[number] = Outcome(added.outcome[place])
        if place in added.errors:
            details[number] = added.errors[place]
        elif place in added.conflicts:
            details[number] = added.conflicts[place]
    failed = len(wrong) + added.failed
    results = [
        RowResult.model_construct(
            row=number, status=_WORDS[outcomes[number]], detail=details.get(number, "")
        )
        for number in range(len(outcomes))
    ]
    held = BulkResult.model_construct(
        created=added.created,
        skipped=added.skipped,
        conflicts=added.conflicting,
        failed=failed,
        results=results,
    )
    lost = failed or added.conflicting
    status = 207 if lost else 200 if added.skipped or not results else 201
    return answer(BulkResult, held, status)
