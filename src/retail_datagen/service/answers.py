"""Answers as JSON: what the store answers with is written as it is, without being checked again."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import Response
from pydantic import TypeAdapter


def answer(
    kind: Any, value: object, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """`value`, of the type `kind`, as the body of an answer."""
    body = _adapter(kind).dump_json(value)
    return Response(body, status, headers, "application/json")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
