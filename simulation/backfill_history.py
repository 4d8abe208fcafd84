"""`python -m simulation.backfill_history` is `retail-datagen inventory backfill`."""

from __future__ import annotations

import sys

from retail_datagen.cli.app import main

if __name__ == "__main__":
    main(["inventory", "backfill", *sys.argv[1:]])
