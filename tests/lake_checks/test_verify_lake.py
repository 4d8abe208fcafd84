"""A lake that keeps every rule is clean, and each rule that is broken is found, by its name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pyarrow as pa
import pytest
from folder_store import FolderStore, RemoteStore
from rich.console import Console
from small_lake import (
    DAYS,
    FIRST,
    TABLES,
    change,
    edit_manifest,
    partition_of,
    publish,
    read_partition,
    with_value,
)

from retail_datagen.config.errors import UserError
from retail_datagen.lake import report
from retail_datagen.lake.findings import CHECKS, LakeReport
from retail_datagen.lake.read import read_lake
from retail_datagen.lake.verify import (
    Expected,
    Progress,
    damaged_partitions,
    missing_partitions,
    verify_lake,
)
from retail_datagen.partitions.layout import Partition
from retail_datagen.partitions.manifest import Stamp

EXPECTED = Expected(FIRST, FIRST + DAYS - 1, ("orders", "returns"))
Damage = Callable[[Path], None]


def verified(folder: Path, deep: bool = True) -> LakeReport:
    return verify_lake(FolderStore(folder), TABLES, EXPECTED, deep)


@pytest.mark.parametrize("store", [FolderStore, RemoteStore])
def test_a_whole_lake_is_clean_and_every_check_looked(
    whole_lake: Path, store: Callable[[Path], FolderStore]
) -> None:
    seen: list[Progress] = []
    found = verify_lake(store(whole_lake), TABLES, EXPECTED, listeners=[seen.append])
    assert found.violations == ()
    assert found.passed
    assert [o.check.name for o in found.outcomes if o.skipped] == []
    assert found.partitions == 7 * DAYS + 19 + 2
    assert (seen[-1].done, seen[-1].total) == (found.partitions, found.partitions)


def test_quick_reads_no_file(lake: Path) -> None:
    content = lake / partition_of("orders", 3).part(0)
    content.write_bytes(bytes(content.stat().st_size))
    found = verified(lake, deep=False)
    assert found.passed
    skipped = {o.check.name for o in found.outcomes if o.skipped}
    assert skipped == {check.name for check in CHECKS if check.deep}


def _text(name: str, day: int, text: bytes) -> Damage:
    return lambda lake: (lake / partition_of(name, day).manifest).write_bytes(text) and None


def _set(table: str, column: str, value: object, row: int = 0, day: int = 63) -> Damage:
    return lambda lake: change(lake, table, day, with_value(column, value, row))


def _flip_a_byte(lake: Path) -> None:
    path = lake / partition_of("orders", 5).part(0)
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)


def _cut(lake: Path) -> None:
    path = lake / partition_of("orders", 5).part(0)
    path.write_bytes(path.read_bytes()[:-9])


def _rows(lake: Path) -> None:
    partition = partition_of("visits", 5)
    publish(lake, partition, read_partition(lake, partition))
    manifest = json.loads((lake / partition.manifest).read_bytes())
    manifest["files"][0]["rows"] = manifest["total_rows"] = 7
    (lake / partition.manifest).write_text(json.dumps(manifest))


def _no_part(lake: Path) -> None:
    (lake / partition_of("returns", 8).part(0)).unlink()


def _other_partition(lake: Path) -> None:
    partition = partition_of("orders", 5)
    edit_manifest(lake, partition, partition=partition_of("orders", 6))


def _more(lake: Path) -> None:
    partition = partition_of("orders", 5)
    shutil.copyfile(lake / partition.part(0), lake / partition.part(1))


def _unfinished(lake: Path) -> None:
    (lake / partition_of("visits", 5).manifest).unlink()


def _gone(lake: Path) -> None:
    shutil.rmtree(lake / partition_of("visits", 5).folder)


def _late(lake: Path) -> None:
    """A return of an order of 61 days before."""
    orders = read_partition(lake, partition_of("orders", 2))
    for table in ("returns", "return_items"):
        change(lake, table, 63, with_value("order_id", orders["order_id"][1].as_py()))
    change(lake, "returns", 63, with_value("customer_id", orders["customer_id"][1].as_py()))


def _twice(table: str, day: int = 63) -> Damage:
    return lambda lake: change(
        lake, table, day, lambda data: pa.concat_tables([data, data.slice(0, 1)])
    )


def _less(table: str, row: int, day: int = 63) -> Damage:
    return lambda lake: change(
        lake, table, day, lambda d: pa.concat_tables([d.slice(0, row), d.slice(row + 1)])
    )


def _no_column(lake: Path) -> None:
    change(lake, "visits", 5, lambda data: data.drop_columns(["StoreID"]))


def _text_money(lake: Path) -> None:
    def how(data: pa.Table) -> pa.Table:
        at = data.column_names.index("StoreID")
        return data.set_column(at, "StoreID", data["StoreID"].cast(pa.string()))

    change(lake, "visits", 5, how)


def _refund_more(lake: Path) -> None:
    """More for an item than was paid, less than for its order."""
    change(lake, "return_items", 63, with_value("refunded_amount", _plus("0.01")))
    change(lake, "returns", 63, with_value("refunded_amount", _plus("0.01")))


def _refund_all_twice(lake: Path) -> None:
    for table in ("return_items", "returns"):
        change(lake, table, 63, with_value("refunded_amount", _plus("500")))


def _plus(amount: str) -> Callable[[Decimal], Decimal]:
    return lambda value: value + Decimal(amount)


def _early_customer(lake: Path) -> None:
    partition = Partition("customers", "signup_date", "2019-12-03")
    shutil.rmtree(lake / partition.folder)
    data = pa.table({"customer_id": [1], "signup_date": [18262 + 400]})
    table = TABLES["customers"].arrow
    columns = [
        data["customer_id"].cast(pa.int32()),
        data["signup_date"].cast(pa.int32()).cast(pa.date32()),
    ]
    later = Partition("customers", "signup_date", "2021-02-04")
    publish(lake, later, pa.Table.from_arrays(columns, schema=table))


DAMAGES: dict[str, tuple[Damage, set[str]]] = {
    "manifest is no JSON": (_text("orders", 5, b"{"), {"manifest"}),
    "manifest of another partition": (_other_partition, {"manifest"}),
    "file cut": (_cut, {"files"}),
    "file gone": (_no_part, {"files"}),
    "file that nobody names": (_more, {"strays"}),
    "no manifest": (_unfinished, {"strays", "expected"}),
    "partition gone": (_gone, {"expected"}),
    "no success": (lambda lake: (lake / partition_of("orders", 5).success).unlink(), {"success"}),
    "another history": (
        lambda lake: edit_manifest(lake, partition_of("orders", 5), stamp=Stamp("b", "1", "f00")),
        {"history"},
    ),
    "byte flipped": (_flip_a_byte, {"sha256"}),
    "rows of the manifest": (_rows, {"rows"}),
    "column gone": (_no_column, {"schema"}),
    "column of another type": (_text_money, {"schema"}),
    "event times": (
        lambda lake: edit_manifest(
            lake, partition_of("orders", 5), min_event_time="2020-01-06T00:00:00"
        ),
        {"event_times"},
    ),
    "identifier malformed": (_set("cart_items", "cart_id", "CART1"), {"ids", "cart_total"}),
    "identifiers left out": (
        _set("orders", "order_id", "ORD202003060000009999", 1, 65),
        {"sequence", "order_total", "parents"},
    ),
    "row left out": (_less("cart_items", 5), {"sequence", "cart_total"}),
    "row twice": (
        _twice("return_items", 0 + 5),
        {"unique", "return_total", "return_items", "refund_of_item"},
    ),
    "row twice, by its declaration": (_twice("visits"), {"unique"}),
    "another day": (
        _set("shopping_carts", "created_at", lambda t: t + timedelta(days=1), 2),
        {"own_day"},
    ),
    "identifier of another day": (
        _set("orders", "order_id", lambda text: text.replace("0306", "0307"), 1, 65),
        {"own_day", "parents", "order_total"},
    ),
    "no such cart": (_set("orders", "cart_id", "CART0000009999"), {"parents"}),
    "no such product": (_set("cart_items", "product_id", 11), {"members"}),
    "no such customer": (_set("shopping_carts", "customer_id", 21), {"members"}),
    "before signup": (_early_customer, {"signup"}),
    "cart's total": (_set("shopping_carts", "cart_total", _plus("1")), {"cart_total"}),
    "order's total": (_set("orders", "net_total", _plus("1")), {"order_total"}),
    "return's total": (_set("returns", "refunded_amount", Decimal("1")), {"return_total"}),
    "return of no order": (
        _set("returns", "order_id", "ORD202003040000009999"),
        {"return_order", "return_items"},
    ),
    "return of another customer": (
        _set("returns", "customer_id", lambda c: c % 20 + 1),
        {"return_order"},
    ),
    "return after 61 days": (_late, {"return_window"}),
    "item not bought": (
        _set("return_items", "product_id", lambda product: product % 10 + 1),
        {"return_items"},
    ),
    "more items than bought": (
        _set("return_items", "quantity_returned", lambda n: n + 1),
        {"return_items"},
    ),
    "item refunded too much": (_refund_more, {"refund_of_item"}),
    "order refunded too much": (_refund_all_twice, {"refund_of_item", "refund_of_order"}),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found(lake: Path, name: str) -> None:
    damage, checks = DAMAGES[name]
    damage(lake)
    found = verified(lake)
    assert {violation.check for violation in found.violations} == checks
    assert all(v.count > 0 and v.example and v.partition for v in found.violations)


def test_every_check_has_a_damage() -> None:
    assert {check for _, checks in DAMAGES.values() for check in checks} == {
        check.name for check in CHECKS
    }


def test_missing_and_damaged_partitions_are_named(lake: Path) -> None:
    _gone(lake)
    _flip_a_byte(lake)
    _no_part(lake)
    contents = read_lake(FolderStore(lake))
    books = Partition("product_catalog", "category", "Toys")
    expected = Expected(FIRST, FIRST + DAYS - 1, ("nothing",), (books,))
    missing = missing_partitions(contents, expected)
    assert len(missing) == DAYS + 2
    assert {books, partition_of("visits", 5), partition_of("nothing", 0)} <= set(missing)
    found = verify_lake(FolderStore(lake), TABLES, EXPECTED)
    assert set(damaged_partitions(found, contents, EXPECTED)) == {
        partition_of("visits", 5),
        partition_of("orders", 5),
        partition_of("returns", 8),
    }


def test_a_mess_is_excused_where_it_breaks_rules_on_purpose(lake: Path) -> None:
    _twice("orders", 63)(lake)
    messy = Expected(mess=frozenset({"duplicates"}))
    assert not verified(lake).passed
    assert verify_lake(FolderStore(lake), TABLES, messy).passed


def test_unknown_tables_have_their_files_checked_only(lake: Path) -> None:
    _flip_a_byte(lake)
    found = verify_lake(FolderStore(lake), {}, EXPECTED)
    assert {v.check for v in found.violations} == {"sha256"}
    assert found.unknown == tuple(sorted(TABLES))


def test_several_parts_and_empty_partitions_are_read(lake: Path) -> None:
    partition = partition_of("order_items", 40)
    publish(lake, partition, read_partition(lake, partition), parts=3)
    for table in ("returns", "return_items"):
        # The lake's first day has none.
        empty = partition_of(table, 0)
        assert read_partition(lake, empty).num_rows == 0
        publish(lake, empty, read_partition(lake, empty), parts=0)
    assert verified(lake).violations == ()


def test_reports_say_what_is_wrong(lake: Path) -> None:
    _refund_all_twice(lake)
    found = verified(lake)
    plain = json.loads(report.as_json(found))
    (failed,) = [c for c in plain["checks"] if c["name"] == "refund_of_order"]
    assert failed["status"] == "failed"
    assert failed["found"][0]["partition"] == partition_of("returns", 63).folder
    out = Console(record=True, width=160, file=StringIO())
    report.print_report(found, out)
    text = out.export_text()
    assert "no order is refunded more than was paid" in text
    assert partition_of("returns", 63).folder in text
    assert "2 of 25 checks failed" in text


def test_nothing_is_not_called_clean(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no lake"):
        verify_lake(FolderStore(tmp_path), TABLES)
    assert not verify_lake(FolderStore(tmp_path), TABLES, EXPECTED).passed
