"""Temporal patterns: how busy each moment is, and how to change it without a profile of one's own.

python examples/custom_patterns.py
"""

from datetime import datetime

import numpy as np

from retail_datagen.config.models import RetailConfig
from retail_datagen.generators.seasonal_patterns import CompositeTemporalPatterns

MOMENTS = {
    "a Monday morning": datetime(2024, 1, 15, 9),
    "a Saturday at five": datetime(2024, 1, 20, 17),
    "Black Friday at noon": datetime(2024, 11, 29, 12),
    "Christmas Day": datetime(2024, 12, 25, 12),
}


def main() -> None:
    usual = CompositeTemporalPatterns(seed=42)

    # Any field of the profile can be overridden, in a config file just as here.
    config = RetailConfig(
        overrides={
            "temporal.weekdays.5": 2.0,  # Monday is 0
            "temporal.named_days.black_friday.factor": 5.0,
        }
    )
    mine = CompositeTemporalPatterns(seed=42, profile=config.load_profile())

    print(f"{'times an average moment':24}{'usual':>8}{'mine':>8}")
    for name, when in MOMENTS.items():
        before, after = usual.get_overall_multiplier(when), mine.get_overall_multiplier(when)
        print(f"{name:24}{before:8.2f}{after:8.2f}")

    # A whole year at once, as columns.
    days = np.arange("2024-01-01", "2025-01-01", dtype="M8[D]").astype("M8[s]")
    factors = mine.events.get_day_multipliers(days)
    print(f"busiest day: {days[factors.argmax()].astype('M8[D]')}, mean of the year:", end=" ")
    print(f"{factors.mean():.3f}")


if __name__ == "__main__":
    main()
