"""Facts as columns, without files: what one does in a notebook.

python examples/notebook_style.py
"""

import duckdb

import retail_datagen as rd
from retail_datagen.config.models import Volume
from retail_datagen.generators.inventory_simulator import InventoryFlowSimulator
from retail_datagen.generators.marketing_simulator import MarketingCampaignSimulator


def main() -> None:
    config = rd.RetailConfig(volume=Volume(stores=5, customers_per_day=400))
    retailer = rd.Retailer(config, history_start="2024-01-01")

    # One day of one table is an Arrow table: pandas, polars and DuckDB take it as it is.
    lines = retailer.render("receipt_lines", "2024-01-06")
    top = duckdb.sql(
        "SELECT ProductID, sum(Qty)::INT AS units, sum(ExtPrice) AS revenue "
        "FROM lines GROUP BY ALL ORDER BY revenue DESC, ProductID LIMIT 3"
    )
    print("Best sellers of a Saturday")
    for product, units, revenue in top.fetchall():
        print(f"  product {product}: {units} units, {revenue}")

    print("Receipts a day")
    week = retailer.days("receipts", "2024-01-01", "2024-01-07")
    for number, receipts in enumerate(week, start=1):
        print(f"  2024-01-{number:02} {receipts.num_rows:5,}")

    print("Stock of a product in store 1, and what the store ordered on the 6th")
    flow = InventoryFlowSimulator(retailer=retailer)
    product_id = int(lines["ProductID"][0].as_py())
    for day in ("2024-01-02", "2024-01-04", "2024-01-06"):
        print(f"  {day}: {flow.on_hand(1, product_id, day)} of product {product_id}")
    print(f"  reorders of all stores: {flow.reorders('2024-01-06').num_rows}")

    marketing = MarketingCampaignSimulator(retailer=retailer)
    cost = marketing.total_cost("2024-01-01", "2024-01-07")
    print(f"Marketing cost {cost} that week")


if __name__ == "__main__":
    main()
