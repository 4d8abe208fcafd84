"""Words that a history's profile decides: its tenders, channels, zones …"""

from __future__ import annotations

from functools import cache

from retail_datagen.config.library import packaged, profile_file, read_profile
from retail_datagen.quality.files import Origin

_PARTS = ("tenders", "reasons", "channels", "devices", "zones")
"""Parts of a profile that decide words of the tables."""


def words_of(origin: Origin | None) -> list[tuple[str, str]]:
    """(column, word) for the columns whose words the history's profile decides.

    Nothing for a profile of the user's own, or one with such words overridden.
    """
    if origin is None:
        return []
    name = origin.settings.get("profile", "")
    changed = " ".join(key for key in origin.settings if key.startswith("overrides."))
    if name not in packaged() or any(part in changed for part in _PARTS):
        return []
    return list(_profile_words(name))


@cache
def _profile_words(name: str) -> tuple[tuple[str, str], ...]:
    profile = read_profile(profile_file(name))
    channels = profile.marketing.channels
    known = {
        "receipts.TenderType": set(profile.tenders),
        "online_orders.TenderType": set(profile.tenders),
        "store_returns.Reason": set(profile.returns.reasons),
        "marketing.Channel": {channel.name for channel in channels},
        "marketing.Device": {device for channel in channels for device in channel.devices},
        "foot_traffic.Zone": set(profile.zones),
        "ble_pings.Zone": set(profile.zones),
    }
    return tuple((column, word) for column, words in known.items() for word in sorted(words))
