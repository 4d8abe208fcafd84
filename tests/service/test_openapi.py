"""What OpenAPI says is so: schemathesis finds no 500, no status and no shape that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from retail_datagen.service.app import create_app
from retail_datagen.service.settings import ServiceSettings
from retail_datagen.store.database import Engine, open_database
from service.conftest import MANY, fill
from services.postgres import postgres_url
from stores import violations

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SHORT = settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
LONG = settings(SHORT, max_examples=100)
lasting_postgres_url = pytest.fixture(scope="module")(postgres_url.__wrapped__)


@pytest.fixture(
    scope="module", params=["postgresql", pytest.param("sqlite", marks=pytest.mark.soak)]
)
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """A store in a file, and one on a server, for all calls of this module."""
    url = f"sqlite:///{tmp_path_factory.mktemp('described') / 'store.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("lasting_postgres_url")
    opened = open_database(url)
    yield opened
    assert violations(opened) == []
    opened.dispose()


@pytest.fixture(scope="module")
def described(engine: Engine) -> Iterator[schemathesis.BaseSchema]:
    limits = replace(MANY, jobs_waiting=100_000)
    app = create_app(ServiceSettings(limits=limits), engine)
    with TestClient(app) as client:
        fill(client, 5, 2)
        client.patch("/items/RFID-00000001", json={"status": "not_present", "reason": "sold"})
        yield schemathesis.openapi.from_asgi("/openapi.json", app)


def call_everything(described: schemathesis.BaseSchema, how: settings) -> list[str]:
    """Call every operation with what it allows and with what it does not; those called."""
    called = []
    for found in described.get_all_operations():
        operation = found.ok()
        called.append(operation.label)
        for mode in GenerationMode:

            @how
            @given(case=operation.as_strategy(generation_mode=mode))
            def check(case: Case) -> None:
                case.call_and_validate(checks=CHECKS)

            try:
                check()
            except Unsatisfiable:
                # Nothing can be asked for wrongly where nothing is asked for, or any text is right.
                if mode != GenerationMode.NEGATIVE:
                    raise
    return called


def test_all_is_as_described(described: schemathesis.BaseSchema) -> None:
    assert len(call_everything(described, SHORT)) > 25


@pytest.mark.soak
def test_all_is_as_described_for_long(described: schemathesis.BaseSchema) -> None:
    call_everything(described, LONG)
