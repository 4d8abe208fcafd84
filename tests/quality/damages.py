"""One damage at least for each check that is not made from the schema."""

from __future__ import annotations

import damage_to_files
import damage_to_master
import damage_to_online
import damage_to_presence
import damage_to_prices
import damage_to_receipts
import damage_to_returns
import damage_to_stock
import damage_to_supply

DAMAGES = (
    *damage_to_files.DAMAGES,
    *damage_to_master.DAMAGES,
    *damage_to_online.DAMAGES,
    *damage_to_presence.DAMAGES,
    *damage_to_prices.DAMAGES,
    *damage_to_receipts.DAMAGES,
    *damage_to_returns.DAMAGES,
    *damage_to_stock.DAMAGES,
    *damage_to_supply.DAMAGES,
)
