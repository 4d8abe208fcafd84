"""Row records: one row of each table as a Python object, for those who handle a few at a time.

Tables are columns everywhere else. What each column means stands in the data dictionary.

    >>> receipt = Receipt.from_row({
    ...     "TraceId": "TRC0000000006", "EventTS": "2024-01-01 15:45:30", "StoreID": "15",
    ...     "CustomerID": "5001", "ReceiptId": "RCP2024010115450150042", "Subtotal": "25.98",
    ...     "Tax": "2.08", "Total": "28.06", "TenderType": "CREDIT_CARD"})
    >>> receipt.total - receipt.tax
    Decimal('25.98')
"""

from __future__ import annotations

from datetime import datetime

from retail_datagen.shared.master_rows import (
    Customer,
    DistributionCenter,
    Geography,
    Product,
    Store,
    Truck,
)
from retail_datagen.shared.rows import Money, Row, RowError

__all__ = [
    "RECORDS",
    "BLEPing",
    "Customer",
    "DCInventoryTransaction",
    "DistributionCenter",
    "FootTraffic",
    "Geography",
    "MarketingImpression",
    "OnlineOrder",
    "OnlineOrderLine",
    "PriceChange",
    "Product",
    "Receipt",
    "ReceiptLine",
    "Reorder",
    "Row",
    "RowError",
    "StockOut",
    "Store",
    "StoreInventoryTransaction",
    "StoreReturn",
    "Truck",
    "TruckMove",
]


class Fact(Row):
    """What every row of a fact table begins with."""

    trace_id: str
    event_ts: datetime


class DCInventoryTransaction(Fact):
    table = "dc_inventory_txn"
    dc_id: int
    product_id: int
    qty_delta: int
    reason: str


class TruckMove(Fact):
    table = "truck_moves"
    truck_id: str
    dc_id: int
    store_id: int
    shipment_id: str
    status: str
    eta: datetime
    etd: datetime


class StoreInventoryTransaction(Fact):
    table = "store_inventory_txn"
    store_id: int
    product_id: int
    qty_delta: int
    reason: str
    source: str


class Receipt(Fact):
    table = "receipts"
    store_id: int
    customer_id: int
    receipt_id: str
    subtotal: Money
    tax: Money
    total: Money
    tender_type: str


class ReceiptLine(Fact):
    table = "receipt_lines"
    receipt_id: str
    line: int
    product_id: int
    qty: int
    unit_price: Money
    ext_price: Money
    promo_code: str | None


class FootTraffic(Fact):
    table = "foot_traffic"
    store_id: int
    sensor_id: str
    zone: str
    dwell: int
    count: int


class BLEPing(Fact):
    table = "ble_pings"
    store_id: int
    beacon_id: str
    customer_ble_id: str
    rssi: int
    zone: str


class MarketingImpression(Fact):
    table = "marketing"
    channel: str
    campaign_id: str
    creative_id: str
    customer_ad_id: str
    impression_id: str
    cost: Money
    device: str


class OnlineOrder(Fact):
    table = "online_orders"
    order_id: str
    customer_id: int
    fulfillment_mode: str
    node_type: str
    node_id: int
    status: str
    subtotal: Money
    discount: Money
    shipping: Money
    tax: Money
    total: Money
    tender_type: str
    picked_ts: datetime | None
    shipped_ts: datetime | None
    delivered_ts: datetime | None


class OnlineOrderLine(Fact):
    table = "online_order_lines"
    order_id: str
    line: int
    product_id: int
    qty: int
    unit_price: Money
    ext_price: Money
    promo_code: str | None
    status: str


class StoreReturn(Fact):
    table = "store_returns"
    return_id: str
    store_id: int
    customer_id: int
    receipt_id: str
    line: int
    product_id: int
    qty: int
    unit_price: Money
    refund: Money
    reason: str
    condition: str


class StockOut(Fact):
    table = "stockouts"
    store_id: int
    product_id: int
    lost_units: int
    last_on_hand: int
    restocked_ts: datetime | None


class Reorder(Fact):
    table = "reorders"
    store_id: int
    dc_id: int
    product_id: int
    on_hand: int
    reorder_point: int
    order_qty: int
    priority: str


class PriceChange(Fact):
    table = "price_changes"
    product_id: int
    old_price: Money
    new_price: Money
    reason: str
    promo_code: str | None


_RECORDS: tuple[type[Row], ...] = (
    DCInventoryTransaction,
    TruckMove,
    StoreInventoryTransaction,
    Receipt,
    ReceiptLine,
    FootTraffic,
    BLEPing,
    MarketingImpression,
    OnlineOrder,
    OnlineOrderLine,
    StoreReturn,
    StockOut,
    Reorder,
    PriceChange,
    Geography,
    Store,
    DistributionCenter,
    Truck,
    Customer,
    Product,
)
RECORDS = {record.table: record for record in _RECORDS}
"""The record of each table that has one, by the table's name."""
