"""What may be given as a configuration from Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from retail_datagen import FactDataGenerator, Retailer
from retail_datagen.config.errors import UserError
from retail_datagen.config.models import RetailConfig


@pytest.mark.parametrize("taker", [FactDataGenerator, Retailer])
@pytest.mark.parametrize("config", [{"a": 1}, 7, ["config.json"], RetailConfig])
def test_what_is_no_configuration_is_told(taker: Any, config: object) -> None:
    with pytest.raises(UserError, match=r"^config: .* is not a configuration; allowed"):
        taker(config)


def test_the_path_of_a_file_serves(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"seed": 7}')
    assert FactDataGenerator(file).config == RetailConfig(seed=7)
    assert FactDataGenerator(str(file)).config == RetailConfig(seed=7)
