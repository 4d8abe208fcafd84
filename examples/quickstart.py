"""A week of a small retailer as CSV files, with the published object API.

    python examples/quickstart.py [config.json]

Without a configuration it writes a small one, and data under ./data.
"""

import json
import sys
from datetime import datetime
from pathlib import Path

from retail_datagen.config.models import RetailConfig
from retail_datagen.generators.fact_generator import FactDataGenerator


def main() -> None:
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "config.json")
    if not path.exists():
        path.write_text(json.dumps({"volume": {"stores": 5, "customers_per_day": 400}}, indent=2))

    # Load configuration
    config = RetailConfig.from_file(path)

    # Initialize generator (loads master data automatically)
    generator = FactDataGenerator(config)

    # Both ends are included; what an earlier run has finished is kept.
    summary = generator.generate_historical_data(datetime(2024, 1, 1), datetime(2024, 1, 7))

    print(
        f"Generated {summary.total_records} records in {summary.generation_time_seconds:.1f}s "
        f"under {config.paths.facts}"
    )
    for table, records in sorted(summary.records.items()):
        print(f"  {table:22}{records:>10,}")


if __name__ == "__main__":
    main()
