"""`python -m simulation.generate_inventory` is `retail-datagen inventory generate`."""

from __future__ import annotations

import sys

from retail_datagen.cli.app import main

if __name__ == "__main__":
    main(["inventory", "generate", *sys.argv[1:]])
