"""Row records of master data: who and what the facts refer to."""

from __future__ import annotations

from datetime import date

from retail_datagen.shared.rows import Money, Row


class Geography(Row):
    table = "geographies"
    geography_id: int
    city: str
    state: str
    postal_code: str
    tax_rate: float
    population: int
    latitude: float
    longitude: float


class Store(Row):
    table = "stores"
    store_id: int
    store_name: str
    geography_id: int
    address: str
    city: str
    state: str
    postal_code: str
    phone: str
    format: str
    size_class: str
    traffic_multiplier: float
    open_hour: int
    close_hour: int
    dc_id: int
    dc_distance_km: int
    capacity: int
    latitude: float
    longitude: float


class DistributionCenter(Row):
    table = "distribution_centers"
    dc_id: int
    dc_name: str
    geography_id: int
    city: str
    state: str
    phone: str
    capacity: int
    throughput: int
    latitude: float
    longitude: float


class Truck(Row):
    table = "trucks"
    truck_id: str
    dc_id: int
    capacity: int
    refrigerated: bool


class Customer(Row):
    table = "customers"
    customer_id: int
    first_name: str
    last_name: str
    email: str
    phone: str
    address: str
    city: str
    state: str
    postal_code: str
    latitude: float
    longitude: float
    segment: str
    home_geography_id: int
    nearest_store_id_1: int
    nearest_store_id_2: int
    nearest_store_id_3: int
    ble_id: str
    ad_id: str
    loyalty_tier: str
    loyalty_number: str | None
    signup_date: date | None


class Product(Row):
    table = "products"
    product_id: int
    sku: str
    product_name: str
    department: str
    category: str
    subcategory: str
    brand: str
    supplier_id: int
    cost: Money
    msrp: Money
    price: Money
    refrigerated: bool
    taxable: bool
    launch_date: date
    pack: int
    demand: str
    popularity: int
