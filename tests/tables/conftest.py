"""Rules assert in modules of their own: pytest explains their failures like those of tests."""

import pytest

pytest.register_assert_rewrite(
    "rules_of_keys", "rules_of_presence", "rules_of_stock", "rules_of_trade", "rules_of_trucks"
)
