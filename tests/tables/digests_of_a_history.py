"""Prints the digests of a small history, world and plans included: run by `test_same_bytes`."""

from __future__ import annotations

import json
import sys
from datetime import date
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from histories import config_of, digest, history
from retail_datagen.tables import registry, render


def digests(master: Path) -> dict[str, str]:
    """Of the world, of four planned days, and of every table of each."""
    told = history(config_of(master), date(2024, 11, 27), 4)
    found = {"world": told.world.digest}
    context = told.context()
    for day, plan in told.plans.items():
        found[f"plan {day}"] = sha256(plan.to_bytes()).hexdigest()
        for name in registry():
            found[f"{name} {day}"] = digest(name, render(name, context, day))
    return found


if __name__ == "__main__":
    print(json.dumps(digests(Path(sys.argv[1]))))
