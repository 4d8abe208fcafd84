"""The live simulation under its published name: `python -m simulation.main --analytics`."""

import sys

from retail_datagen.cli.app import main

if __name__ == "__main__":
    main(["simulate", *sys.argv[1:]])
