"""The backlog: years of a web shop's days, as a lake job. What a user asks for, put together.

Backlog -> source (shop, mess) + dimension tables + histories -> LakeRequest
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa

from retail_datagen.config.errors import UserError
from retail_datagen.config.models import OUTSIDE_CONTENT, RetailConfig
from retail_datagen.core.calendar import to_date
from retail_datagen.ecom import history, lookups
from retail_datagen.ecom.context import ShopContext
from retail_datagen.ecom.plan import ShopPlan
from retail_datagen.ecom.planner import ShopPlanner
from retail_datagen.engine.jobstore import JobStore
from retail_datagen.engine.messy import MessyRetailer, MessySource
from retail_datagen.engine.online import OnlineRetailer, OnlineSource, shop_table_names
from retail_datagen.engine.source import Plan, Retailer, Source
from retail_datagen.lake.catalog import Catalog, Details
from retail_datagen.lake.dimensions import Dimension
from retail_datagen.lake.hooks import Hook
from retail_datagen.lake.request import CHUNK_DAYS, TARGET_MB, LakeRequest
from retail_datagen.lake.state import IdState
from retail_datagen.quality.mess import Mess, messy_table, spoil, truth_table
from retail_datagen.quality.mess.truth import truth_name
from retail_datagen.schema.table import Table

AS_OF = "as_of"
"""What histories are partitioned by: the last day that they know of."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What to fill a lake with, and where. Days count from 1970-01-01, both ends included.

    No `tables` means those of the shop. With `truth`, each messy table has one of what was done
    to it.
    """

    config: RetailConfig
    url: str
    first_day: int
    last_day: int
    artifacts: Path
    staging: Path
    endpoint_url: str | None = None
    mess: Mess = field(default_factory=Mess)
    truth: bool = False
    tables: tuple[str, ...] = ()
    hooks: tuple[Hook, ...] = ()
    id_state_file: Path | None = None
    checkpoint_file: Path | None = None
    chunk_days: int = CHUNK_DAYS
    target_mb: float = TARGET_MB
    workers: int = 0
    keep_staging: bool = False
    keep_csv: bool = False
    overwrite: bool = False

    @property
    def source(self) -> Source:
        """The retailer with its shop, messy if it is to be."""
        clean = OnlineSource(self.config)
        if self.mess.is_none:
            return clean
        return MessySource(clean, self.mess, self.config.seed, self.truth)

    @property
    def chosen(self) -> tuple[str, ...]:
        """The tables of days that are wanted, their truths included."""
        names = self.tables or shop_table_names()
        if self.truth and not self.mess.is_none:
            names = (*names, *(truth_name(n) for n in names if not n.endswith("_truth")))
        return tuple(dict.fromkeys(names))


def lake_request(backlog: Backlog) -> LakeRequest:
    """The lake job of a backlog."""
    shop = bool(set(backlog.chosen) & set(shop_table_names()))
    return LakeRequest(
        source=backlog.source,
        url=backlog.url,
        first_day=backlog.first_day,
        last_day=backlog.last_day,
        artifacts=backlog.artifacts,
        staging=backlog.staging,
        endpoint_url=backlog.endpoint_url,
        tables=backlog.chosen,
        details=_details(backlog),
        dimensions=_Lookups(backlog) if shop else None,
        late=_Histories(backlog.last_day) if shop else None,
        ids_after=_last_ids,
        id_state_file=backlog.id_state_file,
        checkpoint_file=backlog.checkpoint_file,
        hooks=backlog.hooks,
        chunk_days=backlog.chunk_days,
        target_mb=backlog.target_mb,
        workers=backlog.workers,
        keep_staging=backlog.keep_staging,
        keep_csv=backlog.keep_csv,
        overwrite=backlog.overwrite,
    )


def recorded_backlog(catalog: Catalog, url: str, folder: Path) -> Backlog:
    """The backlog that a catalog is of, to be run again with its files below `folder`.

    Raises UserError for a catalog that another kind of job wrote.
    """
    details = catalog.details
    try:
        config = RetailConfig.model_validate(
            {**details.config, "paths": {"master": str(folder / "master")}}
        )
        options = details.options
        mess = Mess.of(str(options["messiness_level"]), _switches(options["mess"]))
        return Backlog(
            config=config,
            url=url,
            first_day=catalog.history_start,
            last_day=catalog.last_day,
            artifacts=folder,
            staging=folder / "staging",
            mess=mess,
            truth=bool(options["truth"]),
            tables=tuple(str(name) for name in options["tables"]),
            target_mb=catalog.target_bytes / 2**20,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{url}: its catalog does not say what a backlog needs ({error}); run the command that "
            "made the lake again"
        ) from error


def lookup_tables(retailer: Retailer, first_day: int) -> dict[str, pa.Table]:
    """The shop's customers and products as they are before any mess."""
    context = _context(retailer, first_day)
    return {
        "customers": lookups.customers(context),
        "product_catalog": lookups.product_catalog(context),
    }


@dataclass(frozen=True, slots=True)
class _Lookups:
    """Customers by signup_date, products by category: written once."""

    backlog: Backlog

    def __call__(self, retailer: Retailer) -> Iterable[Dimension]:
        context = _context(retailer, self.backlog.first_day)
        signup = context.world.customers.signup_day.astype(np.int64)
        days = np.where(context.customers.guest, -1, signup)
        yield from self._dimensions(
            lookups.CUSTOMERS, lookups.customers(context), "signup_date", days, _iso
        )
        order = np.argsort(context.world.products.product_id, kind="stable")
        category = context.world.products.category[order].astype(np.int64)
        names = context.world.categories
        yield from self._dimensions(
            lookups.PRODUCT_CATALOG,
            lookups.product_catalog(context),
            "category",
            category,
            names.__getitem__,
        )

    def _dimensions(
        self,
        table: Table,
        rows: pa.Table,
        by: str,
        group: np.ndarray[tuple[int], np.dtype[np.int64]],
        name: Callable[[int], str],
    ) -> Iterable[Dimension]:
        """A table cut by a column, and the truth about it; `group` is -1 for rows without value."""
        mess = replace(self.backlog.mess, late_arrivals=0.0, duplicates=0.0)
        declared = replace(table, columns=tuple(c for c in table.columns if c.name != by))
        seed = self.backlog.config.seed
        spoilt = spoil(declared, rows.drop_columns([by]), 0, mess, seed, told=self.backlog.truth)
        order = np.argsort(group, kind="stable")
        sorted_rows = spoilt.data.take(pa.array(order)).combine_chunks()
        values, first = np.unique(group[order], return_index=True)
        ends = np.append(first[1:], len(order))
        spans = {
            None if value < 0 else name(int(value)): (int(begin), int(end - begin))
            for value, begin, end in zip(values, first, ends, strict=True)
        }
        yield Dimension(
            messy_table(declared, mess),
            by,
            tuple(spans),
            lambda value: sorted_rows.slice(*spans[value]),
        )
        if self.backlog.truth and not self.backlog.mess.is_none:
            told, day = spoilt.truth, to_date(self.backlog.first_day).isoformat()
            yield Dimension(truth_table(declared), AS_OF, (day,), lambda _: told)


@dataclass(frozen=True, slots=True)
class _Histories:
    """What became of customers and products until the last day: made anew when that moves on."""

    last_day: int

    def __call__(self, retailer: Retailer, store: JobStore, start: int) -> Iterable[Dimension]:
        planner = cast(ShopPlanner, retailer.planner(start, store.state_before(self.last_day + 1)))
        while planner.next_day <= self.last_day:
            planner.step()
        context = _context(retailer, start)
        changes = planner.state.changes
        day = (to_date(self.last_day).isoformat(),)
        yield Dimension(
            history.CUSTOMERS_HISTORY,
            AS_OF,
            day,
            lambda _: history.customers_history(context, changes, self.last_day),
            fixed=False,
        )
        yield Dimension(
            history.PRODUCT_HISTORY,
            AS_OF,
            day,
            lambda _: history.product_history(context, self.last_day),
            fixed=False,
        )


def _context(retailer: Retailer, start: int) -> ShopContext:
    """The clean shop's context; lookups and histories need no plan."""
    clean = retailer.clean if isinstance(retailer, MessyRetailer) else retailer
    assert isinstance(clean, OnlineRetailer), "a backlog is of a retailer with a shop"
    return clean.context(start, _no_plan)


def _no_plan(day: int) -> ShopPlan:
    raise LookupError(f"no plan of {to_date(day)} is needed here")


def _last_ids(plan: Plan) -> IdState:
    shop = cast(ShopPlan, plan)
    return IdState(shop.last_cart, shop.last_order, shop.last_return)


def _details(backlog: Backlog) -> Details:
    mess = backlog.mess
    return Details(
        seed=backlog.config.seed,
        config=backlog.config.model_dump(mode="json", exclude=set(OUTSIDE_CONTENT)),
        options={
            "messiness_level": mess.level,
            "mess": mess.switches(),
            "truth": backlog.truth,
            "tables": list(backlog.tables or shop_table_names()),
        },
    )


def _switches(recorded: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in recorded.items()}


def _iso(day: int) -> str:
    return to_date(day).isoformat()
