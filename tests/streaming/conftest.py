"""A small retailer whose streams are played."""

from __future__ import annotations

import pytest
from played import Played, config_of

from retail_datagen.streaming.feed import Chosen


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Shared by all tests of a session: its master data is built by the first of them."""
    return Played(config_of(tmp_path_factory.mktemp("played") / "master"))


@pytest.fixture(params=["topics", "hub", "facts"])
def feed(request: pytest.FixtureRequest, played: Played) -> Chosen:
    return played.feed(request.param)
