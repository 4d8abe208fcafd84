"""What `inventory generate` prints, line by line as its guide has always shown it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from retail_datagen.store.generate import Loaded
    from retail_datagen.store.items import Inventory
    from retail_datagen.store.runs import Summary

_RULE = "=" * 67


class Output:
    """Prints as work goes on; nothing when `quiet`."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._live = sys.stdout.isatty()

    def configuration(self, inventory: Inventory, where: str) -> None:
        """What is asked for, and what it makes."""
        products, items = len(inventory.products), len(inventory.items)
        self._say("🏪 OptiFlow Inventory Generator")
        self._say(_RULE)
        self._say("\n📋 Configuration:")
        self._say(f"   Target items: {items}")
        for line in _source(inventory, where):
            self._say(line)
        self._say(f"\n📊 Average {items / max(products, 1):.1f} items per product variant")
        self._say("\n🏷️  Generating RFID-tagged items...")
        self._say(f"   ✅ Generated {items} RFID-tagged items")
        self._say("\n📊 Generation Summary:")
        self._say(f"   Products: {products}")
        self._say(f"   Items: {items}")
        self._say("\n   Categories:")
        for name, count in inventory.categories.items():
            self._say(f"     • {name}: {count} products")

    def dry_run(self) -> None:
        self._say("\n🔍 Dry run: nothing was created")

    def creating_products(self, count: int) -> None:
        self._say("\n💾 Creating inventory in database...")
        self._say(f"📦 Creating {count} products...")

    def created_products(self, loaded: Loaded) -> None:
        self._say(f"✅ Created {loaded.created} products{_skipped(loaded)}")

    def creating_items(self, count: int) -> None:
        self._say(f"\n🏷️  Creating {count} RFID-tagged items...")

    def progress(self, done: int, total: int) -> None:
        """A line that is written over on a terminal; elsewhere the last one only."""
        if done < total and not self._live:
            return
        line = f"   Progress: {done}/{total} ({100 * done // max(total, 1)}%)"
        self._say(f"\r{line}" if self._live else line, end=done >= total)

    def complete(self, products: Loaded, items: Loaded) -> None:
        """The end, and what to do next."""
        self._say(f"\n{_RULE}\n✅ Inventory Generation Complete!\n{_RULE}")
        self._say(f"   Products created: {products.created}{_skipped(products)}")
        self._say(f"   Items created: {items.created}{_skipped(items)}")
        self._say("\n💡 You can now:")
        self._say("   • Run simulation with: retail-datagen simulate --analytics")
        self._say("   • Generate analytics data: retail-datagen inventory backfill --days 30")
        self._say(_RULE)

    def _say(self, line: str, end: bool = True) -> None:
        if not self._quiet:
            typer.echo(line, nl=end)


def _source(inventory: Inventory, where: str) -> tuple[str, ...]:
    """What the products come from, and how many that gives."""
    products = len(inventory.products)
    if inventory.store is None:
        return (
            f"   Product templates: {inventory.templates}",
            f"   {where}",
            "\n🔧 Generating product variants...",
            f"   ✅ Generated {products} unique product variants",
        )
    return (
        f"   Store: {inventory.store} of a generated retailer",
        f"   {where}",
        "\n🔧 Reading the store's products...",
        f"   ✅ Found {products} products",
    )


def _skipped(loaded: Loaded) -> str:
    otherwise = f", {loaded.differing} with other values, which stay" if loaded.differing else ""
    return f" ({loaded.skipped} were there already{otherwise})" if loaded.skipped else ""


def planned(inventory: Inventory) -> dict[str, int | dict[str, int]]:
    """What a dry run would make: how many products and items, and the products' categories."""
    return {
        "products": len(inventory.products),
        "items": len(inventory.items),
        "categories": dict(inventory.categories),
    }


def backfilled(summary: Summary) -> str:
    """One line: what a backfill wrote."""
    missed = f", {summary.missed:,} found nothing left to buy" if summary.missed else ""
    again = f", in place of {summary.replaced}" if summary.replaced.runs else ""
    return (
        f"{summary.first_day} to {summary.last_day}: {summary.purchases:,} purchases{missed}, "
        f"{summary.restocked:,} items restocked, {summary.snapshots:,} rows of snapshots{again}"
    )
