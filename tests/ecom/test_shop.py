"""The shop's books: they agree with the retailer's, with each other, and with what is promised."""

from __future__ import annotations

import pytest

from conftest import DAYS, START, Shop
from retail_datagen.ecom import tables as shop_tables
from retail_datagen.engine.online import OnlineRetailer

NONE = {
    "orders are the retailer's": """
        SELECT * FROM orders o FULL JOIN (SELECT * FROM online_orders WHERE Status = 'CREATED') r
        ON o.order_id = r.OrderId
        WHERE o.order_id IS NULL OR r.OrderId IS NULL OR o.gross_total <> r.Subtotal
        OR o.total_discount_amount <> r.Discount OR o.shipping_cost <> r.Shipping
        OR o.order_date <> r.EventTS OR o.customer_id <> r.CustomerID
        OR o.payment_method <> r.TenderType
    """,
    "order items are the lines that were kept": """
        SELECT * FROM (SELECT order_id, product_id, quantity, unit_price FROM order_items) o
        FULL JOIN (SELECT OrderId, ProductID, sum(Qty) AS Qty, min(UnitPrice) AS UnitPrice
                   FROM online_order_lines WHERE Status = 'ALLOCATED' GROUP BY ALL) r
        ON o.order_id = r.OrderId AND o.product_id = r.ProductID AND o.unit_price = r.UnitPrice
        WHERE o.order_id IS NULL OR r.OrderId IS NULL
    """,
    "an order is the sum of its items": """
        SELECT order_id FROM orders LEFT JOIN order_items USING (order_id)
        GROUP BY order_id, gross_total, total_discount_amount, net_total, total_items
        HAVING gross_total <> coalesce(sum(quantity * unit_price), 0)
        OR total_discount_amount <> coalesce(sum(discount_amount), 0)
        OR net_total <> gross_total - total_discount_amount
        OR total_items <> coalesce(sum(quantity), 0) OR min(discount_amount) < 0
    """,
    "an order was a cart of that day, of that customer, converted at that moment": """
        SELECT o.order_id FROM orders o LEFT JOIN shopping_carts c USING (cart_id)
        WHERE c.cart_id IS NULL OR c.day <> o.day OR c.customer_id <> o.customer_id
        OR c.status <> 'converted' OR c.updated_at <> o.order_date OR c.created_at > o.order_date
    """,
    "every converted cart is an order": """
        SELECT cart_id FROM shopping_carts WHERE status = 'converted'
        AND cart_id NOT IN (SELECT cart_id FROM orders)
    """,
    "what was ordered lay in the cart": """
        SELECT i.order_id FROM order_items i JOIN orders o USING (order_id) WHERE NOT EXISTS (
            SELECT 1 FROM cart_items c WHERE c.cart_id = o.cart_id AND c.product_id = i.product_id
            AND c.quantity = i.quantity AND c.unit_price = i.unit_price)
    """,
    "a cart is the sum of its items; emptied ones have none": """
        SELECT cart_id FROM shopping_carts LEFT JOIN cart_items USING (cart_id)
        GROUP BY cart_id, cart_total, status
        HAVING cart_total <> coalesce(sum(quantity * unit_price), 0)
        OR (status = 'emptied') <> (count(product_id) = 0)
    """,
    "cart items come into a cart while it is used, on its day": """
        SELECT cart_item_id FROM cart_items i JOIN shopping_carts c USING (cart_id)
        WHERE added_at < created_at OR added_at > updated_at OR i.day <> c.day
        OR created_at > updated_at OR CAST(created_at AS DATE) <> CAST(updated_at AS DATE)
    """,
    "refunds are no more than was paid": """
        SELECT * FROM (
            SELECT order_id, product_id, unit_price, cost_price, sum(quantity_returned) AS back,
                sum(refunded_amount) AS refunded FROM return_items GROUP BY ALL
        ) JOIN (
            SELECT order_id, product_id, unit_price, cost_price, sum(quantity) AS units,
                sum(quantity * unit_price - discount_amount) AS paid FROM order_items GROUP BY ALL
        ) USING (order_id, product_id, unit_price, cost_price)
        WHERE refunded > paid OR back > units
    """,
    "refunds of an order are no more than it came to": """
        SELECT order_id FROM orders JOIN returns USING (order_id)
        GROUP BY order_id, net_total HAVING sum(refunded_amount) > net_total
    """,
    "what comes back was ordered": """
        SELECT return_item_id FROM return_items r ANTI JOIN order_items i
        ON r.order_id = i.order_id AND r.product_id = i.product_id
        AND r.unit_price = i.unit_price AND r.cost_price = i.cost_price
    """,
    "a return is the sum of its items, after delivery, within 60 days, of who ordered": """
        SELECT return_id FROM returns r JOIN return_items i USING (return_id)
        JOIN orders o ON o.order_id = r.order_id
        LEFT JOIN (SELECT OrderId, min(EventTS) AS at FROM online_orders
                   WHERE Status = 'DELIVERED' GROUP BY 1) d ON d.OrderId = r.order_id
        GROUP BY return_id, r.refunded_amount, return_date, o.day, r.day, r.customer_id,
            o.customer_id, r.email, o.email, return_type, d.at
        HAVING r.refunded_amount <> sum(i.refunded_amount) OR return_date < d.at OR d.at IS NULL
        OR r.day - o.day NOT BETWEEN 1 AND 60 OR r.customer_id <> o.customer_id
        OR r.email <> o.email OR (return_type = 'Exchange') <> (r.refunded_amount = 0)
    """,
    "nothing happens before signing up, and inactive customers do nothing": """
        SELECT customer_id, d FROM (
            SELECT customer_id, CAST(order_date AS DATE) AS d FROM orders
            UNION ALL SELECT customer_id, CAST(created_at AS DATE) FROM shopping_carts
        ) JOIN customers USING (customer_id)
        WHERE d < signup_date OR customer_status = 'Inactive'
    """,
    "guests have no sign-up, tier or channel, the others a sign-up": """
        SELECT customer_id FROM customers
        WHERE is_guest <> (signup_date IS NULL) OR is_guest <> (signup_channel IS NULL)
        OR (is_guest AND loyalty_tier IS NOT NULL) OR loyalty_enrollment_date < signup_date
        OR (loyalty_enrollment_date IS NULL) <> (initial_loyalty_tier IS NULL)
    """,
    "the tier of an order is that of the history, and so is its address": """
        SELECT order_id FROM orders o LEFT JOIN customers_history h
        ON o.customer_id = h.customer_id AND CAST(order_date AS DATE) >= valid_from
        AND (valid_to IS NULL OR CAST(order_date AS DATE) <= valid_to)
        WHERE h.customer_id IS NULL OR o.customer_tier IS DISTINCT FROM h.loyalty_tier
        OR (o.shipping_address IS NOT NULL AND o.shipping_address <> h.mailing_address)
    """,
    "the price of an item is that of the history": """
        SELECT order_item_id FROM order_items i JOIN orders o USING (order_id)
        LEFT JOIN product_history h ON i.product_id = h.product_id
        AND CAST(order_date AS DATE) >= valid_from
        AND (valid_to IS NULL OR CAST(order_date AS DATE) <= valid_to)
        WHERE h.product_id IS NULL OR i.unit_price <> h.unit_price OR i.cost_price <> h.cost_price
    """,
    "versions follow each other without gap": """
        SELECT customer_id FROM (
            SELECT *, lag(valid_to) OVER w AS ended, lag(version, 1, 0) OVER w AS number,
            lead(version) OVER w IS NULL AS newest
            FROM customers_history WINDOW w AS (PARTITION BY customer_id ORDER BY valid_from)
        ) WHERE version <> number + 1 OR ended <> valid_from - 1 OR is_current <> newest
        OR is_current <> (valid_to IS NULL)
    """,
    "agents take calls, and nothing else": """
        SELECT order_id FROM orders WHERE (order_channel = 'Phone') <> (agent_id IS NOT NULL)
        UNION ALL
        SELECT return_id FROM returns WHERE (return_channel = 'Phone') <> (agent_id IS NOT NULL)
    """,
    "what is picked up is not shipped": """
        SELECT order_id FROM orders JOIN online_orders r ON order_id = OrderId
        WHERE (FulfillmentMode = 'BOPIS') <> (shipping_speed = 'Store Pickup')
        OR (shipping_speed = 'Store Pickup')
            AND (shipping_cost + actual_shipping_cost > 0 OR shipping_address IS NOT NULL)
        OR is_expedited <> (shipping_speed IN ('Two-Day', 'Overnight'))
    """,
    "a tier is earned by what was spent": """
        SELECT * FROM (
            SELECT customer_id, customer_tier, initial_loyalty_tier AS initial,
                coalesce(sum(net_total) OVER (PARTITION BY customer_id ORDER BY o.day
                    RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS spent
            FROM orders o JOIN customers USING (customer_id)
        ) WHERE customer_tier IS DISTINCT FROM CASE
            WHEN initial IS NULL THEN NULL WHEN spent >= 2000 THEN 'Platinum'
            WHEN spent >= 750 THEN 'Gold' WHEN spent >= 250 THEN 'Silver' ELSE initial END
    """,
}


@pytest.mark.parametrize("rule", NONE)
def test_nothing_breaks_the_rule(shop: Shop, rule: str) -> None:
    assert shop.sql(NONE[rule] + " LIMIT 3") == []


@pytest.mark.parametrize(
    ("table", "column", "digits"),
    [
        ("shopping_carts", "cart_id", 10),
        ("orders", "order_id", 10),
        ("returns", "return_id", 10),
        ("cart_items", "cart_item_id", 0),
        ("order_items", "order_item_id", 0),
        ("return_items", "return_item_id", 0),
    ],
)
def test_numbers_run_on_without_gap(shop: Shop, table: str, column: str, digits: int) -> None:
    number = f"CAST(right({column}, {digits}) AS BIGINT)" if digits else column
    ((count, distinct, first, last),) = shop.sql(
        f"SELECT count(*), count(DISTINCT {column}), min({number}), max({number}) FROM {table}"
    )
    assert count == distinct == last
    assert first == 1
    ((disordered,),) = shop.sql(
        f"SELECT count(*) FROM (SELECT max({number}) AS top, lead(min({number})) "
        f"OVER (ORDER BY day) AS next FROM {table} GROUP BY day) WHERE next <> top + 1"
    )
    assert disordered == 0


def test_the_funnel_is_that_of_the_profile(shop: Shop) -> None:
    share = dict(
        shop.sql(
            "SELECT status, count(*) / (SELECT count(*) FROM shopping_carts) "
            "FROM shopping_carts GROUP BY 1"
        )
    )
    assert share["converted"] == pytest.approx(0.30, abs=0.01)
    assert share["emptied"] == pytest.approx(0.15 * 0.70, abs=0.01)
    assert 0.03 < share["open"] < 0.08


def test_a_fifth_of_the_orders_comes_back_and_clothes_do_more_often(shop: Shop) -> None:
    """Orders of the first 60 days: of later ones not everything has come back yet."""
    ((share,),) = shop.sql(
        f"SELECT count(DISTINCT r.order_id) / count(DISTINCT o.order_id) FROM orders o "
        f"LEFT JOIN returns r USING (order_id) WHERE o.day < {START + DAYS - 60}"
    )
    assert share == pytest.approx(0.20, abs=0.015)
    rate = dict(
        shop.sql(
            "SELECT category, count(return_item_id) / count(*) FROM order_items "
            "LEFT JOIN return_items USING (order_id, product_id, category) GROUP BY 1"
        )
    )
    assert rate["Clothing"] > 1.5 * rate["Books"]
    ((fits, works),) = shop.sql(
        "SELECT count(*) FILTER (category = 'Clothing' AND reason = 'Does not fit') "
        "/ count(*) FILTER (category = 'Clothing'), "
        "count(*) FILTER (category = 'Electronics' AND reason = 'Defective') "
        "/ count(*) FILTER (category = 'Electronics') "
        "FROM returns JOIN return_items USING (return_id)"
    )
    assert fits > 0.3
    assert works > 0.3


def test_some_customers_return_some_rest_and_guests_order_little(shop: Shop) -> None:
    ((again, guests, reactivated),) = shop.sql(
        "SELECT (SELECT count(*) FROM (SELECT customer_id FROM orders GROUP BY 1 "
        "HAVING count(*) > 1)) / (SELECT count(DISTINCT customer_id) FROM orders), "
        "avg(CAST(is_guest AS INT)), count(*) FILTER (is_reactivated) "
        "FROM orders JOIN customers USING (customer_id)"
    )
    assert 0.3 < again < 0.95
    assert 0 < guests < 0.15
    assert reactivated == 0  # nobody can have been away for 180 days in a history of 120


def test_a_planner_that_was_saved_goes_on_alike(shop: Shop) -> None:
    retailer = shop.retailer
    planner = retailer.planner(START, None)
    for _ in range(20):
        planner.step()
    again = retailer.planner(START, planner.save())
    for day in range(START + 20, START + 25):
        assert again.step().to_bytes() == shop.plans[day].to_bytes()


def test_a_plan_survives_the_disk_and_days_render_in_any_order(shop: Shop) -> None:
    retailer = opened_again(shop)
    read = {day: retailer.read_plan(plan.to_bytes()) for day, plan in shop.plans.items()}
    render = retailer.render(START, read.__getitem__)
    for day in (START + 90, START, START + 45):
        for name in shop_tables.registry():
            assert render(name, day).equals(shop.day(name, day)), (name, day)


def opened_again(shop: Shop) -> OnlineRetailer:
    """Opened as a worker does."""
    retailer = shop.retailer.source.open()
    assert isinstance(retailer, OnlineRetailer)
    return retailer
