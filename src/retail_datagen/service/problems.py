"""Errors as problem+json (RFC 9457): status, title, detail, and the field that is wrong."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException

from retail_datagen.config.errors import UserError
from retail_datagen.store.database.failures import REFUSED, UNAVAILABLE
from retail_datagen.store.moments import LedgerError

MEDIA_TYPE = "application/problem+json"
_LOG = logging.getLogger(__name__)
_FIELD = re.compile(r"([a-z][a-z_-]*): (.*)", re.DOTALL)
_PLACES = ("body", "query", "path", "header")
_RETRY = {"Retry-After": "1"}


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field."""

    field: str
    detail: str


class Problem(Exception):
    """An answer that says what is wrong, where, and what is allowed."""

    def __init__(
        self,
        status: int,
        detail: str,
        field: str | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.field = field
        self.errors = tuple(errors)
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The answer. ASCII only, so that no text can fail to be sent."""
        held: dict[str, object] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        errors = self.errors or ((self._of_field(self.field),) if self.field else ())
        if errors:
            held["field"] = errors[0].field
            held["errors"] = [{"field": e.field, "detail": e.detail} for e in errors]
        return Response(json.dumps(held), self.status, self.headers, MEDIA_TYPE)

    def _of_field(self, field: str) -> FieldError:
        """The detail without the name of the field, which stands beside it."""
        found = _FIELD.fullmatch(self.detail)
        same = found is not None and found[1].replace("-", "_") == field.replace("-", "_")
        return FieldError(field, found[2] if found and same else self.detail)


SCHEMA: dict[str, object] = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, and what is allowed."},
        "field": {"type": "string", "description": "The first field that is wrong."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}


def documented(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Those problems as OpenAPI has them."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


def field_errors(errors: Sequence[ErrorDetails]) -> list[FieldError]:
    """What pydantic found, without the values: they may be anything, and a key among them."""
    return [_field_error(_name(e["loc"]), _message(e)) for e in errors]


def of_user_error(error: UserError, status: int = 422) -> Problem:
    """`speed: 7 is not allowed; …` is about the field `speed`."""
    found = _FIELD.fullmatch(str(error))
    field = found[1].replace("-", "_") if found else None
    return Problem(status, str(error), field)


def install(app: FastAPI) -> None:
    """Every error of the application becomes a problem."""

    async def told(_: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return error.response()

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        if any(one["type"] == "json_invalid" for one in error.errors()):
            return Problem(400, "the body is not JSON", "body").response()
        errors = field_errors(error.errors())
        listed = "; ".join(f"{one.field}: {one.detail}" for one in errors[:5])
        return Problem(422, listed, errors=errors).response()

    async def http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        headers = error.headers or {}
        return Problem(error.status_code, str(error.detail), headers=headers).response()

    async def wrong(_: Request, error: Exception) -> Response:
        assert isinstance(error, UserError)
        return of_user_error(error).response()

    async def ledger(_: Request, error: Exception) -> Response:
        return Problem(409, str(error)).response()

    async def refused(_: Request, error: Exception) -> Response:
        _LOG.warning("the database refused: %s", error)
        return Problem(409, "the store changed meanwhile; look again, and try again").response()

    async def unavailable(_: Request, error: Exception) -> Response:
        _LOG.warning("the database does not answer: %s", error)
        detail = "the store's database does not answer in time; try again"
        return Problem(503, detail, headers=_RETRY).response()

    async def unknown(_: Request, error: Exception) -> Response:
        # Starlette raises it again once this is sent: the log has it whole.
        return Problem(500, "this is an error of the service, which is on its log").response()

    app.add_exception_handler(Problem, told)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(UserError, wrong)
    app.add_exception_handler(LedgerError, ledger)
    for refusal in REFUSED:
        app.add_exception_handler(refusal, refused)
    for failure in UNAVAILABLE:
        app.add_exception_handler(failure, unavailable)
    app.add_exception_handler(Exception, unknown)


def _message(error: ErrorDetails) -> str:
    """What is wrong, without names of our classes."""
    if error["type"] == "model_type":
        return "Input should be an object"
    return error["msg"].removeprefix("Value error, ")


def _field_error(field: str, message: str) -> FieldError:
    """What a model as a whole complains about names its field itself: `reason: …`."""
    found = _FIELD.fullmatch(message)
    return FieldError(found[1], found[2]) if found else FieldError(field, message)


def _name(location: Sequence[int | str]) -> str:
    parts = location[1:] if location and location[0] in _PLACES else location
    return ".".join(str(part) for part in parts) or "body"
