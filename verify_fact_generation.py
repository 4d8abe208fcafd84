"""The published verification: `python verify_fact_generation.py` checks data/facts.

Where nothing was generated yet, it checks a small history that it makes in a temporary folder.
"""

import sys
import tempfile
from datetime import date
from pathlib import Path

from retail_datagen import FactDataGenerator, RetailConfig
from retail_datagen.cli.app import main
from retail_datagen.config.models import Paths, Volume

FACTS = Path("data/facts")

if __name__ == "__main__":
    if any(FACTS.glob("*/dt=*")):
        main(["verify", str(FACTS), *sys.argv[1:]])
    else:
        with tempfile.TemporaryDirectory() as folder:
            paths = Paths(master=Path(folder, "master"), facts=Path(folder, "facts"))
            volume = Volume(stores=5, customers_per_day=200, online_orders_per_day=30)
            config = RetailConfig(volume=volume, paths=paths)
            FactDataGenerator(config).generate_historical_data(date(2024, 1, 1), date(2024, 1, 7))
            main(["verify", folder, *sys.argv[1:]])
