"""One customer's baskets, drawn as receipts are, and the rules that a receipt keeps.

    python examples/shopping_basket.py

Uses the master data under ./data/master, which is written first where there is none.
"""

import pyarrow.csv as pacsv

from retail_datagen.config.models import RetailConfig, Volume
from retail_datagen.generators.fact_generator import FactDataGenerator
from retail_datagen.generators.retail_patterns import (
    BusinessRulesEngine,
    CustomerJourneySimulator,
    ShoppingBehaviorType,
)


def main() -> None:
    config = RetailConfig(volume=Volume(stores=5, customers_per_day=400))
    _ = FactDataGenerator(config).world  # writes the master data where there is none
    customers, products, stores = (
        pacsv.read_csv(config.paths.master / f"{name}.csv")
        for name in ("customers", "products", "stores")
    )

    simulator = CustomerJourneySimulator(customers, products, stores)
    rules = BusinessRulesEngine()
    for behavior in ShoppingBehaviorType:
        basket = simulator.generate_shopping_basket(customer_id=123, behavior_type=behavior)
        others = [simulator.generate_shopping_basket(123, behavior) for _ in range(100)]
        mean = sum(len(other.items) for other in others) / len(others)
        print(
            f"{behavior.value:16} {len(basket.items):3} items (mean {mean:4.1f}), "
            f"{basket.estimated_total:>8} at store {basket.store_id}, "
            f"{basket.segment.value}, {basket.mission}"
        )
        lines = [
            {"Qty": item.qty, "UnitPrice": item.unit_price, "ExtPrice": item.ext_price}
            for item in basket.items
        ]
        rules.validate_receipt_totals(lines, basket.estimated_total)

    rules.validate_pricing(products)
    rules.validate_receipt_totals(lines, "0.01")  # wrong, to show what is said
    summary = rules.get_validation_summary()
    print(f"checks passed: {summary.passed}, failed: {summary.failed}")
    for message in summary.messages:
        print(f"  {message}")


if __name__ == "__main__":
    main()
