"""Tenders of online orders: what `online_orders` shows, and whoever asks about the same orders."""

from __future__ import annotations

from retail_datagen.config.profile import Profile


def online_tenders(profile: Profile) -> dict[str, float]:
    """The weight of each of the profile's tenders; cash has none, which no web shop takes."""
    tenders = profile.tenders
    weights = {name: 0.0 if name == "CASH" else weight for name, weight in tenders.items()}
    return weights if sum(weights.values()) > 0 else dict(tenders)
