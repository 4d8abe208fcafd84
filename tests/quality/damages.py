"""One damage for each check: how to plant it, and which other checks cannot but notice it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from copies import Copy, Row, any_row


@dataclass(frozen=True)
class Damage:
    """`plant` gives a text that the check's offending rows must show.

    `also` are checks that must notice it too, `maybe` those that do where the row happens to
    matter to them. One that is `alone` keeps other checks from looking at all.
    """

    check: str
    plant: Callable[[Copy], str]
    also: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()
    alone: bool = False

    @property
    def breaks(self) -> frozenset[str]:
        """The checks that must fail."""
        return frozenset((self.check, *self.also))

    @property
    def touches(self) -> frozenset[str]:
        """The checks that may fail."""
        return self.breaks | frozenset(self.maybe)


def later(time: str, **by: int) -> str:
    """A timestamp, moved."""
    return str(datetime.fromisoformat(time) + timedelta(**by))


def cents(amount: str, more: int) -> str:
    """An amount of money with so many cents more."""
    return f"{float(amount) + more / 100:.2f}"


def is_(**values: str) -> Callable[[Row], bool]:
    """Rows with these values."""
    return lambda row: all(row[name] == value for name, value in values.items())


# Receipts.


def subtotal(copy: Copy) -> str:
    return copy.edit(
        "receipts",
        change=lambda r: (
            r | {"Subtotal": cents(r["Subtotal"], 100), "Total": cents(r["Total"], 100)}
        ),
    )["ReceiptId"]


def tax(copy: Copy) -> str:
    return copy.edit(
        "receipts",
        change=lambda r: r | {"Tax": cents(r["Tax"], 1), "Total": cents(r["Total"], 1)},
    )["ReceiptId"]


def total(copy: Copy) -> str:
    return copy.edit("receipts", change=lambda r: r | {"Total": cents(r["Total"], -1)})["ReceiptId"]


def receipt_without_lines(copy: Copy) -> str:
    """A receipt more, numbered well, that nobody bought anything on."""
    first = copy.rows("receipts")[0]
    same = {"StoreID": first["StoreID"]}
    day = first["EventTS"][:10]
    last = [r for r in copy.rows("receipts", is_(**same)) if r["EventTS"].startswith(day)][-1]
    name = last["ReceiptId"]
    number = int(name[-4:]) + 1
    copy.double(
        "receipts",
        is_(ReceiptId=name),
        ReceiptId=f"{name[:-4]}{number:04d}",
        TraceId="TRC0000999999",
        Subtotal="0.00",
        Tax="0.00",
        Total="0.00",
    )
    return "TRC0000999999"


def receipt_name(copy: Copy) -> str:
    """A receipt, its lines and its returns under the name of another minute."""
    row = copy.rows("receipts", lambda r: r["ReceiptId"][13:15] != "59")[0]
    old, minute = row["ReceiptId"], int(row["ReceiptId"][13:15]) + 1
    new = f"{old[:13]}{minute:02d}{old[15:]}"
    for table in ("receipts", "receipt_lines", "store_returns"):
        if copy.rows(table, is_(ReceiptId=old)):
            copy.edit_all(table, is_(ReceiptId=old), lambda r: r | {"ReceiptId": new})
    return new


def receipt_number(copy: Copy) -> str:
    row = copy.rows("receipts")[0]
    old = row["ReceiptId"]
    new = f"{old[:-4]}9999"
    for table in ("receipts", "receipt_lines", "store_returns"):
        if copy.rows(table, is_(ReceiptId=old)):
            copy.edit_all(table, is_(ReceiptId=old), lambda r: r | {"ReceiptId": new})
    return "9999"


def extended(copy: Copy) -> str:
    row = copy.edit("receipt_lines", change=lambda r: r | {"ExtPrice": cents(r["ExtPrice"], -1)})
    return row["ReceiptId"]


def not_returned(copy: Copy) -> Callable[[Row], bool]:
    returned = {(r["ReceiptId"], r["Line"]) for r in copy.rows("store_returns")}
    return lambda r: (r["ReceiptId"], r["Line"]) not in returned


def line_number(copy: Copy) -> str:
    row = copy.set("receipt_lines", not_returned(copy), Line=77)
    return row["TraceId"]


def line_time(copy: Copy) -> str:
    return copy.edit(
        "receipt_lines", change=lambda r: r | {"EventTS": later(r["EventTS"], seconds=1)}
    )["ReceiptId"]


# Online orders.


def one_status(status: str) -> Callable[[Row], bool]:
    return lambda r: r["Status"] == status and float(r["Subtotal"]) > 0


def order_amounts(copy: Copy, **more: int) -> str:
    """Other amounts on all rows of an order; Total follows."""
    order = copy.rows("online_orders", one_status("DELIVERED"))[0]["OrderId"]

    def change(row: Row) -> Row:
        return row | {name: cents(row[name], by) for name, by in more.items()}

    copy.edit_all("online_orders", is_(OrderId=order), change)
    return order


def order_mode(copy: Copy) -> str:
    """A DC's order that says it was shipped from a store."""
    order = copy.rows("online_orders", is_(FulfillmentMode="SHIP_FROM_DC"))[0]["OrderId"]
    copy.edit_all(
        "online_orders",
        is_(OrderId=order),
        lambda r: r | {"FulfillmentMode": "SHIP_FROM_STORE"},
    )
    return order


def order_node(copy: Copy) -> str:
    picked = {r["OrderId"] for r in copy.rows("online_orders", is_(Status="PICKED"))}
    order = copy.rows(
        "online_orders", lambda r: r["NodeType"] == "DC" and r["OrderId"] not in picked
    )[0]["OrderId"]
    copy.edit_all("online_orders", is_(OrderId=order), lambda r: r | {"NodeId": "99"})
    return order


def order_not_shipped(copy: Copy) -> str:
    return copy.drop("online_orders", is_(Status="SHIPPED", FulfillmentMode="SHIP_FROM_DC"))[
        "OrderId"
    ]


def order_times(copy: Copy) -> str:
    """Handed over before it was picked."""
    row = copy.rows("online_orders", is_(Status="DELIVERED", FulfillmentMode="BOPIS"))[0]
    copy.set(
        "online_orders",
        is_(OrderId=row["OrderId"], Status="DELIVERED"),
        DeliveredTS=later(row["PickedTS"], seconds=-1),
    )
    return row["OrderId"]


def order_customer(copy: Copy) -> str:
    row = copy.rows("online_orders", is_(Status="PICKED"))[0]
    home = {r["CustomerID"]: r["HomeGeographyID"] for r in copy.rows("customers")}
    neighbour = next(
        customer
        for customer, place in home.items()
        if place == home[row["CustomerID"]] and customer != row["CustomerID"]
    )
    copy.set("online_orders", is_(OrderId=row["OrderId"], Status="PICKED"), CustomerID=neighbour)
    return row["OrderId"]


def order_line_extended(copy: Copy) -> str:
    row = copy.edit(
        "online_order_lines",
        is_(Status="CANCELLED"),
        lambda r: r | {"ExtPrice": cents(r["ExtPrice"], 1)},
    )
    return row["OrderId"]


def order_line_number(copy: Copy) -> str:
    return copy.set("online_order_lines", Line=9)["TraceId"]


def order_line_time(copy: Copy) -> str:
    """A cancelled line reserves nothing, so that stock does not notice."""
    return copy.edit(
        "online_order_lines",
        is_(Status="CANCELLED"),
        lambda r: r | {"EventTS": later(r["EventTS"], seconds=1)},
    )["OrderId"]


def picked_in_store(copy: Copy) -> str:
    return copy.edit(
        "store_inventory_txn",
        is_(Source="ONLINE_ORDER"),
        lambda r: r | {"EventTS": later(r["EventTS"], seconds=1)},
    )["TraceId"]


def picked_in_dc(copy: Copy) -> str:
    return copy.edit(
        "dc_inventory_txn",
        is_(Reason="SALE"),
        lambda r: r | {"QtyDelta": str(int(r["QtyDelta"]) - 1)},
    )["TraceId"]


# Stock.


def negative(table: str, reason: str) -> Callable[[Copy], str]:
    """A correction that takes away far more than there is."""

    def plant(copy: Copy) -> str:
        copy.set(table, is_(Reason=reason), QtyDelta=-100_000)
        return "-100000"

    return plant


def wrong_sign(table: str, reason: str) -> Callable[[Copy], str]:
    return lambda copy: copy.edit(
        table,
        is_(Reason=reason),
        lambda r: r | {"QtyDelta": str(-int(r["QtyDelta"]))},
    )["TraceId"]


def second_opening(table: str) -> Callable[[Copy], str]:
    """A correction that calls itself an opening."""

    def plant(copy: Copy) -> str:
        where = is_(Reason="SHRINK")
        row = copy.rows(table, where)[0]
        more = {"Source": "OPENING_BALANCE"} if "Source" in row else {}
        copy.set(table, is_(TraceId=row["TraceId"]), Reason="INITIAL_STOCK", QtyDelta=1, **more)
        return row["TraceId"]

    return plant


def sold_units(copy: Copy) -> str:
    return copy.edit(
        "store_inventory_txn",
        is_(Source="CUSTOMER_PURCHASE"),
        lambda r: r | {"QtyDelta": str(int(r["QtyDelta"]) - 1)},
    )["TraceId"]


def sold_elsewhere(copy: Copy) -> str:
    return copy.edit(
        "store_inventory_txn",
        is_(Source="CUSTOMER_PURCHASE"),
        lambda r: r | {"EventTS": later(r["EventTS"], seconds=1)},
    )["TraceId"]


def return_not_booked(copy: Copy) -> str:
    """A damaged return's units come in and go out, but one second late."""
    trace = copy.rows("store_inventory_txn", is_(Source="CUSTOMER_RETURN", Reason="DAMAGE"))[0][
        "TraceId"
    ]
    copy.edit_all(
        "store_inventory_txn",
        is_(TraceId=trace),
        lambda r: r | {"EventTS": later(r["EventTS"], seconds=1)},
    )
    return trace


def small_store(copy: Copy) -> str:
    copy.set("stores", Capacity=100)
    return "100"


def lost_movement(copy: Copy) -> str:
    """One unit more was stolen, of what a reorder counts later: only the books can tell."""
    last: dict[tuple[str, str], str] = {}
    for row in copy.rows("reorders"):
        cell = (row["StoreID"], row["ProductID"])
        last[cell] = max(row["EventTS"], last.get(cell, ""))

    def looked_at(row: Row) -> bool:
        counted = last.get((row["StoreID"], row["ProductID"]), "")
        return row["Reason"] == "SHRINK" and row["EventTS"] < counted

    row = copy.edit(
        "store_inventory_txn",
        looked_at,
        lambda r: r | {"QtyDelta": str(int(r["QtyDelta"]) - 1)},
    )
    return row["ProductID"]


def last_on_hand(copy: Copy) -> str:
    """More was there, and still more was asked for; others may have bought in that second."""
    return copy.edit(
        "stockouts",
        change=lambda r: (
            r | {name: str(int(r[name]) + 100) for name in ("LastOnHand", "LostUnits")}
        ),
    )["TraceId"]


# Supply.


def truck_order(copy: Copy) -> str:
    return copy.edit(
        "truck_moves",
        is_(Status="IN_TRANSIT"),
        lambda r: r | {"EventTS": later(r["EventTS"], hours=-2)},
    )["ShipmentId"]


def other_truck(copy: Copy) -> str:
    row = copy.rows("truck_moves", is_(Status="LOADING"))[0]
    fleet = [r for r in copy.rows("trucks") if r["DCID"] == row["DCID"]]
    other = max(r["TruckId"] for r in fleet if r["TruckId"] != row["TruckId"])
    copy.set("truck_moves", is_(ShipmentId=row["ShipmentId"], Status="LOADING"), TruckId=other)
    return row["ShipmentId"]


def expected_arrival(copy: Copy) -> str:
    return copy.edit("truck_moves", change=lambda r: r | {"ETA": later(r["ETA"], minutes=1)})[
        "ShipmentId"
    ]


def overlapping(copy: Copy) -> str:
    """Two of a DC's trucks out at the same time were the same one."""
    trips = copy.rows("truck_moves", is_(Status="SCHEDULED"))
    one, other = next(
        (a, b)
        for a in trips
        for b in trips
        if a["DCID"] == b["DCID"]
        and a["EventTS"] < b["EventTS"] < a["ETD"]
        and _holds(copy, a["TruckId"], b["TruckId"])
    )
    copy.edit_all(
        "truck_moves",
        is_(ShipmentId=other["ShipmentId"]),
        lambda r: r | {"TruckId": one["TruckId"]},
    )
    copy.edit_all(
        "store_inventory_txn",
        is_(TraceId=other["TraceId"], Reason="INBOUND_SHIPMENT"),
        lambda r: r | {"Source": one["TruckId"]},
    )
    return one["TruckId"]


def _holds(copy: Copy, truck: str, load_of: str) -> bool:
    """Whether a truck can take what another carried."""
    trucks = {r["TruckId"]: r for r in copy.rows("trucks")}
    one, other = trucks[truck], trucks[load_of]
    return int(one["Capacity"]) >= int(other["Capacity"]) and (
        one["Refrigerated"] >= other["Refrigerated"]
    )


def foreign_truck(copy: Copy) -> str:
    row = copy.rows("truck_moves")[0]
    copy.set("trucks", is_(TruckId=row["TruckId"]), DCID=3 - int(row["DCID"]))
    return row["TruckId"]


def small_truck(copy: Copy) -> str:
    truck = copy.rows("truck_moves")[0]["TruckId"]
    copy.set("trucks", is_(TruckId=truck), Capacity=1)
    return truck


def warm_truck(copy: Copy) -> str:
    cold = {r["TruckId"] for r in copy.rows("trucks", is_(Refrigerated="true"))}
    truck = copy.rows("truck_moves", lambda r: r["TruckId"] in cold)[0]["TruckId"]
    copy.set("trucks", is_(TruckId=truck), Refrigerated="false")
    return truck


def loaded_late(copy: Copy) -> str:
    return copy.edit(
        "dc_inventory_txn",
        is_(Reason="OUTBOUND_SHIPMENT"),
        lambda r: r | {"EventTS": later(r["EventTS"], seconds=1)},
    )["EventTS"][:10]


def other_source(copy: Copy) -> str:
    copy.set("store_inventory_txn", is_(Reason="INBOUND_SHIPMENT"), Source="TRK9999")
    return "TRK9999"


def fell_off_the_truck(copy: Copy) -> str:
    def many(row: Row) -> bool:
        return row["Reason"] == "OUTBOUND_SHIPMENT" and int(row["QtyDelta"]) < -1

    return copy.edit(
        "dc_inventory_txn", many, lambda r: r | {"QtyDelta": str(int(r["QtyDelta"]) + 1)}
    )["TraceId"]


def slow_dc(copy: Copy) -> str:
    copy.set("distribution_centers", Throughput=1)
    return "1"


def ordered_elsewhere(copy: Copy) -> str:
    return copy.edit("reorders", change=lambda r: r | {"DCID": str(3 - int(r["DCID"]))})["TraceId"]


def half_a_case(copy: Copy) -> str:
    packs = {r["ProductID"]: int(r["Pack"]) for r in copy.rows("products")}
    return copy.edit(
        "reorders",
        lambda r: packs[r["ProductID"]] > 1,
        lambda r: r | {"OrderQty": str(int(r["OrderQty"]) + 1)},
    )["TraceId"]


def priority(copy: Copy) -> str:
    return copy.set("reorders", is_(Priority="URGENT"), Priority="NORMAL")["TraceId"]


def never_ordered(copy: Copy) -> str:
    """An order was for a case less than arrived."""
    packs = {r["ProductID"]: int(r["Pack"]) for r in copy.rows("products")}
    arrived = {
        (r["StoreID"], r["ProductID"])
        for r in copy.rows("store_inventory_txn", is_(Reason="INBOUND_SHIPMENT"))
    }
    row = copy.edit(
        "reorders",
        lambda r: (
            (r["StoreID"], r["ProductID"]) in arrived and int(r["OrderQty"]) > packs[r["ProductID"]]
        ),
        lambda r: r | {"OrderQty": str(int(r["OrderQty"]) - packs[r["ProductID"]])},
    )
    return row["ProductID"]


# Prices.


def price_of_line(table: str) -> Callable[[Copy], str]:
    """A dearer line; its amounts follow."""

    def plant(copy: Copy) -> str:
        wanted = not_returned(copy) if table == "receipt_lines" else is_(Status="CANCELLED")

        def change(row: Row) -> Row:
            dearer = cents(row["UnitPrice"], 100)
            return row | {
                "UnitPrice": dearer,
                "ExtPrice": f"{float(dearer) * int(row['Qty']):.2f}",
            }

        return copy.edit(table, wanted, change)["TraceId"]

    return plant


def promo_of_line(table: str) -> Callable[[Copy], str]:
    """A promotion that is not the product's."""

    def plant(copy: Copy) -> str:
        code = copy.rows("promotions")[0]["PromoCode"]
        copy.set(table, is_(PromoCode=""), PromoCode=code)
        return code

    return plant


def same_price(copy: Copy) -> str:
    """A change to the price that it was: that before says so too."""
    row = copy.edit("price_changes", is_(Reason="INFLATION"), _unchanged)
    return row["TraceId"]


def _unchanged(row: Row) -> Row:
    return row | {"NewPrice": row["OldPrice"]}


def old_price(copy: Copy) -> str:
    return copy.edit(
        "price_changes",
        is_(Reason="INFLATION"),
        lambda r: r | {"OldPrice": cents(r["OldPrice"], 3)},
    )["TraceId"]


def promo_of_change(copy: Copy) -> str:
    return copy.set("price_changes", is_(Reason="PROMO_START"), PromoCode="")["TraceId"]


# Returns and stock-outs.


def returned_to_another(copy: Copy) -> str:
    row = copy.rows("store_returns")[0]
    customer = str(int(row["CustomerID"]) % 1000 + 1)
    copy.set("store_returns", is_(ReturnId=row["ReturnId"]), CustomerID=customer)
    return "another customer"


def returned_twice(copy: Copy) -> str:
    """The next return of the same store is of the same line."""
    one, other = copy.rows("store_returns")[:2]
    line = {name: one[name] for name in ("ReceiptId", "Line")}
    copy.set("store_returns", is_(ReturnId=other["ReturnId"]), **line)
    return one["ReceiptId"]


def refund(copy: Copy) -> str:
    return copy.edit("store_returns", change=lambda r: r | {"Refund": cents(r["Refund"], 1)})[
        "ReturnId"
    ]


def lost_units(copy: Copy) -> str:
    row = copy.edit("stockouts", change=lambda r: r | {"LostUnits": r["LastOnHand"]})
    return row["TraceId"]


def restocked(copy: Copy) -> str:
    return copy.edit(
        "stockouts",
        lambda r: r["RestockedTS"] != "",
        lambda r: r | {"RestockedTS": later(r["RestockedTS"], seconds=-1)},
    )["TraceId"]


# Hours, sensors, beacons, marketing.

CLOSING = {"2", "3", "4"}
"""Stores that close at 21; the first never does."""


def by_night(table: str) -> Callable[[Copy], str]:
    """Something happens at three in the morning."""
    return lambda copy: copy.edit(
        table,
        lambda r: r["StoreID"] in CLOSING and r.get("Zone") != "ENTRANCE",
        lambda r: r | {"EventTS": r["EventTS"][:11] + "03:00:00"},
    )["TraceId"]


def picked_by_night(copy: Copy) -> str:
    """An order, its later rows and its movements, at three in the morning of the same day."""
    row = copy.rows(
        "online_orders",
        lambda r: (
            r["Status"] == "PICKED"
            and r["NodeType"] == "STORE"
            and r["NodeId"] in CLOSING
            and r["OrderId"][3:11] != r["PickedTS"][:10].replace("-", "")
        ),
    )[0]
    night = row["PickedTS"][:11] + "03:00:00"

    def change(order: Row) -> Row:
        now = night if order["Status"] == "PICKED" else order["EventTS"]
        return order | {"PickedTS": night, "EventTS": now}

    def is_after(order: Row) -> bool:
        return order["OrderId"] == row["OrderId"] and order["PickedTS"] != ""

    copy.edit_all("online_orders", is_after, change)
    copy.edit_all(
        "store_inventory_txn", is_(TraceId=row["TraceId"]), lambda r: r | {"EventTS": night}
    )
    return row["OrderId"]


def uncounted(copy: Copy) -> str:
    """Readings of an entrance that counts one person an hour."""
    busy: dict[tuple[str, str], int] = {}
    for row in copy.rows("receipts"):
        key = (row["StoreID"], row["EventTS"][:13])
        busy[key] = busy.get(key, 0) + 1
    store, hour = max(busy, key=lambda key: busy[key])
    copy.edit_all(
        "foot_traffic",
        lambda r: (
            r["StoreID"] == store and r["EventTS"].startswith(hour) and r["Zone"] == "ENTRANCE"
        ),
        lambda r: r | {"Count": "1"},
    )
    return hour


def other_zone(table: str) -> Callable[[Copy], str]:
    return lambda copy: copy.set(table, is_(Zone="GROCERY"), Zone="HEALTH")["TraceId"]


def counted_nobody(copy: Copy) -> str:
    return copy.set("foot_traffic", lambda r: r["Zone"] != "ENTRANCE", Count=0)["TraceId"]


def signal(copy: Copy) -> str:
    return copy.set("ble_pings", RSSI=-12)["TraceId"]


def old_campaign(copy: Copy) -> str:
    """All impressions of a campaign are of one that ended long ago."""
    row = copy.rows("marketing")[0]
    old = copy.rows("campaigns", lambda r: r["TargetSegment"] == "")[0]["CampaignId"]
    copy.edit_all(
        "marketing",
        is_(CampaignId=row["CampaignId"]),
        lambda r: r | {"CampaignId": old},
    )
    return old


def other_segment(copy: Copy) -> str:
    """A campaign turns out to be for somebody else."""
    row = copy.rows("marketing")[0]
    segments = {r["AdId"]: r["Segment"] for r in copy.rows("customers")}
    other = next(s for s in segments.values() if s != segments[row["CustomerAdId"]])
    copy.set("campaigns", is_(CampaignId=row["CampaignId"]), TargetSegment=other)
    return other


def creative(copy: Copy) -> str:
    one = copy.rows("marketing")[0]
    copy.set("marketing", lambda r: r["Channel"] != one["Channel"], CreativeId=one["CreativeId"])
    return one["CreativeId"]


def free_impression(copy: Copy) -> str:
    return copy.set("marketing", Cost="0.00")["TraceId"]


# Identity.


def trace_gap(copy: Copy) -> str:
    copy.set("ble_pings", TraceId="TRC0000999998")
    return "999998"


def numbered_anew(table: str, column: str) -> Callable[[Copy], str]:
    """An identifier whose number nobody gave."""

    def plant(copy: Copy) -> str:
        old = copy.rows(table)[0][column]
        new = f"{old[:-6]}999999"
        copy.edit_all(table, is_(**{column: old}), lambda r: r | {column: new})
        return new

    return plant


def order_anew(copy: Copy) -> str:
    """An order and its lines, under a number that nobody gave."""
    old = copy.rows("online_order_lines")[0]["OrderId"]
    new = f"{old[:-6]}999999"
    for table in ("online_orders", "online_order_lines"):
        copy.edit_all(table, is_(OrderId=old), lambda r: r | {"OrderId": new})
    return new


def put(table: str, column: str, value: str) -> Callable[[Copy], str]:
    """A value in the first row of master data."""

    def plant(copy: Copy) -> str:
        copy.set(table, any_row, **{column: value})
        return value

    return plant


# Files.


def header(copy: Copy) -> str:
    file = copy.files("marketing")[0]
    file.write_text(file.read_text().replace("Cost", "Price", 1))
    return file.name


def unreadable_value(copy: Copy) -> str:
    copy.set("foot_traffic", lambda r: r["Zone"] != "ENTRANCE", Dwell="1O")
    return "1O"


def other_name(copy: Copy) -> str:
    copy.set("stores", StoreName="Elsewhere")
    return "master data"


def stranger(copy: Copy) -> str:
    beside = copy.files("receipts")[0].parent / "receipts (copy).csv"
    beside.write_text("")
    return beside.name


def missing_day(copy: Copy) -> str:
    file = copy.files("marketing")[1]
    file.unlink()
    return file.parent.name[3:]


BOOKS = ("reorders.on_hand", "stockouts.on_hand")
MASTER = ("files.master",)

DAMAGES = (
    Damage("files.readable", header, alone=True),
    Damage("files.parse", unreadable_value, ("traces.sequence",)),
    Damage("files.known", stranger),
    Damage("files.complete", missing_day, alone=True),
    Damage("files.master", other_name),
    Damage("receipts.subtotal", subtotal),
    Damage("receipts.tax", tax),
    Damage("receipts.total", total),
    Damage(
        "receipts.lines",
        receipt_without_lines,
        ("traces.sequence",),
        maybe=("foot_traffic.entrances",),
    ),
    Damage("receipts.name", receipt_name),
    Damage("receipts.sequence", receipt_number),
    Damage("receipt_lines.extended", extended, ("receipts.subtotal",)),
    Damage("receipt_lines.sequence", line_number),
    Damage("receipt_lines.receipt", line_time),
    Damage("online_orders.subtotal", lambda c: order_amounts(c, Subtotal=1, Total=1)),
    Damage("online_orders.total", lambda c: order_amounts(c, Total=1)),
    Damage("online_orders.tax", lambda c: order_amounts(c, Tax=1, Total=1)),
    Damage("online_orders.modes", order_mode),
    Damage("online_orders.NodeId", order_node),
    Damage("online_orders.order", order_not_shipped),
    Damage("online_orders.times", order_times),
    Damage("online_orders.same", order_customer),
    Damage("online_order_lines.extended", order_line_extended),
    Damage("online_order_lines.sequence", order_line_number),
    Damage("online_order_lines.order", order_line_time),
    Damage("online_orders.store_stock", picked_in_store),
    Damage("online_orders.dc_stock", picked_in_dc, maybe=("dc_inventory_txn.stock",)),
    Damage("store_inventory_txn.stock", negative("store_inventory_txn", "ADJUSTMENT"), maybe=BOOKS),
    Damage("dc_inventory_txn.stock", negative("dc_inventory_txn", "SHRINK")),
    Damage("store_inventory_txn.signs", wrong_sign("store_inventory_txn", "SHRINK"), maybe=BOOKS),
    Damage("dc_inventory_txn.signs", wrong_sign("dc_inventory_txn", "SHRINK")),
    Damage("store_inventory_txn.opening", second_opening("store_inventory_txn"), maybe=BOOKS),
    Damage("dc_inventory_txn.opening", second_opening("dc_inventory_txn")),
    Damage("store_inventory_txn.sales", sold_units, maybe=(*BOOKS, "store_inventory_txn.stock")),
    Damage("store_inventory_txn.receipt", sold_elsewhere, maybe=BOOKS),
    Damage("store_inventory_txn.returns", return_not_booked, maybe=BOOKS),
    Damage("store_inventory_txn.capacity", small_store, MASTER),
    Damage(
        "reorders.on_hand",
        lost_movement,
        maybe=("stockouts.on_hand", "store_inventory_txn.stock"),
    ),
    Damage("stockouts.on_hand", last_on_hand),
    Damage("truck_moves.order", truck_order),
    Damage("truck_moves.same", other_truck),
    Damage("truck_moves.expected", expected_arrival),
    Damage("truck_moves.overlap", overlapping),
    Damage("truck_moves.home", foreign_truck, MASTER),
    Damage("truck_moves.capacity", small_truck, MASTER),
    Damage("truck_moves.refrigerated", warm_truck, MASTER),
    Damage("truck_moves.loading", loaded_late),
    Damage("truck_moves.unloading", other_source),
    Damage("truck_moves.units", fell_off_the_truck, maybe=("dc_inventory_txn.stock",)),
    Damage("dc_inventory_txn.throughput", slow_dc, MASTER),
    Damage("reorders.dc", ordered_elsewhere),
    Damage("reorders.quantity", half_a_case),
    Damage("reorders.priority", priority),
    Damage("reorders.shipped", never_ordered),
    Damage("receipt_lines.price", price_of_line("receipt_lines"), ("receipts.subtotal",)),
    Damage("online_order_lines.price", price_of_line("online_order_lines")),
    Damage("receipt_lines.promotion", promo_of_line("receipt_lines")),
    Damage("online_order_lines.promotion", promo_of_line("online_order_lines")),
    Damage(
        "price_changes.change",
        same_price,
        maybe=("receipt_lines.price", "online_order_lines.price", "price_changes.chain"),
    ),
    Damage("price_changes.chain", old_price),
    Damage(
        "price_changes.promotion",
        promo_of_change,
        maybe=("receipt_lines.promotion", "online_order_lines.promotion"),
    ),
    Damage("store_returns.sale", returned_to_another),
    Damage("store_returns.once", returned_twice, ("store_returns.sale",)),
    Damage("store_returns.refund", refund),
    Damage("stockouts.units", lost_units),
    Damage("stockouts.restocked", restocked),
    Damage(
        "receipts.hours",
        by_night("receipts"),
        ("receipts.name", "receipt_lines.receipt", "store_inventory_txn.receipt"),
        maybe=("foot_traffic.entrances", "store_returns.sale"),
    ),
    Damage("store_returns.hours", by_night("store_returns"), ("store_inventory_txn.returns",)),
    Damage("foot_traffic.hours", by_night("foot_traffic")),
    Damage("ble_pings.hours", by_night("ble_pings")),
    Damage("online_orders.hours", picked_by_night, maybe=("store_inventory_txn.stock",)),
    Damage("foot_traffic.entrances", uncounted),
    Damage("foot_traffic.sensor", other_zone("foot_traffic")),
    Damage("foot_traffic.reading", counted_nobody),
    Damage("ble_pings.beacon", other_zone("ble_pings")),
    Damage("ble_pings.signal", signal),
    Damage("marketing.campaign", old_campaign),
    Damage("marketing.target", other_segment, MASTER),
    Damage("marketing.creative", creative),
    Damage("marketing.cost", free_impression),
    Damage("traces.sequence", trace_gap),
    Damage("online_orders.sequence", order_anew),
    Damage("store_returns.sequence", numbered_anew("store_returns", "ReturnId")),
    Damage("marketing.sequence", numbered_anew("marketing", "ImpressionId")),
    Damage("truck_moves.sequence", numbered_anew("truck_moves", "ShipmentId")),
    Damage("customers.email", put("customers", "Email", "cora@gmail.com"), MASTER),
    Damage("customers.phone", put("customers", "Phone", "555-2368"), MASTER),
    Damage("stores.phone", put("stores", "Phone", "555-2368"), MASTER),
    Damage("distribution_centers.phone", put("distribution_centers", "Phone", "555-2368"), MASTER),
    Damage("suppliers.phone", put("suppliers", "Phone", "555-2368"), MASTER),
)
