"""What requests hold and answers look like, where the store has no type for it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from retail_datagen.service.settings import MOST_ROWS
from retail_datagen.store.backfill import MOST_DAYS
from retail_datagen.store.database.models import (
    CATEGORY_CHARS,
    MOST_CENTS,
    NAME_CHARS,
    SKU_CHARS,
    TAG_CHARS,
)
from retail_datagen.store.listing import Reason, Status
from retail_datagen.store.simulation.settings import (
    LARGEST_SEED,
    LONGEST_SECONDS,
    SNAPSHOT_SECONDS,
    SPEED,
)

_MOST_COUNT = 2**31 - 1
_FURTHEST = 1_000_000
_NO_NUL = r"^[^\x00]*$"
_NOT_BLANK = r"^[^\x00]*[^\x00-\x20][^\x00]*$"

Sku = Annotated[str, StringConstraints(min_length=1, max_length=SKU_CHARS, pattern=_NO_NUL)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=TAG_CHARS, pattern=_NO_NUL)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME_CHARS, pattern=_NO_NUL)]
Category = Annotated[str, StringConstraints(max_length=CATEGORY_CHARS, pattern=_NO_NUL)]
Search = Annotated[str, StringConstraints(max_length=100, pattern=_NO_NUL)]
Epc = Annotated[str, StringConstraints(pattern=r"^([0-9A-F]{24})?$")]
Count = Annotated[int, Field(ge=0, le=_MOST_COUNT)]
Position = Annotated[float, Field(ge=-_FURTHEST, le=_FURTHEST, allow_inf_nan=False)]
ZoneId = Annotated[int, Field(ge=1, le=_MOST_COUNT)]
Price = Annotated[
    Decimal,
    Field(ge=0, le=Decimal(MOST_CENTS) / 100, decimal_places=2, allow_inf_nan=False),
]
Mode = Literal["demo", "realistic", "stress"]
Density = Literal["sparse", "normal", "dense", "extreme"]


_T = TypeVar("_T")


def _not_null(value: _T | None) -> _T:
    """Null would be taken for a field that is left out."""
    if value is None:
        raise ValueError("null is no value of it; give one, or leave it out")
    return value


def _not_blank(sku: str) -> str:
    if all(char <= " " for char in sku):
        raise ValueError("a SKU is not blank; give one that can be seen")
    return sku


def _without_null(schema: dict[str, Any]) -> None:
    """As OpenAPI has it."""
    for one in schema.pop("anyOf"):
        if one != {"type": "null"}:
            schema.update(one)
    schema.pop("default", None)


Given = Annotated[_T | None, AfterValidator(_not_null), Field(json_schema_extra=_without_null)]
"""A field that may be left out, and is None then, but not null."""


NewSku = Annotated[
    Sku, AfterValidator(_not_blank), Field(json_schema_extra={"pattern": _NOT_BLANK})
]
"""Any text that can be seen."""


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class ProductIn(_Request):
    """A product to add."""

    sku: NewSku
    name: Name
    category: Category = ""
    unit_price: Price
    reorder_threshold: Count = 0
    """Below that many on hand staff restock; at most `optimal_stock_level`."""
    optimal_stock_level: Count = 0
    """Up to that many."""


class ItemIn(_Request):
    """An item to add, present from now on."""

    rfid_tag: Tag
    sku: Sku
    epc: Epc | None = None
    """SGTIN-96 as 24 hexadecimal digits in capitals."""
    x_position: Position | None = None
    """Centimetres from the left wall."""
    y_position: Position | None = None
    """Centimetres from the front."""
    zone_id: ZoneId | None = None


class ProductsIn(_Request):
    """Products to add at once. A wrong one is reported in its row, the others are added."""

    products: Annotated[list[ProductIn], Field(max_length=MOST_ROWS)]


class ItemsIn(_Request):
    """Items to add at once. A wrong one is reported in its row, the others are added."""

    items: Annotated[list[ItemIn], Field(max_length=MOST_ROWS)]


class RowResult(BaseModel):
    """What became of a row; rows count from 0. `exists`: it is there, just like this. `conflict`:
    its SKU or tag is there with other values, which stay; `detail` says which."""

    row: int
    status: Literal["created", "exists", "error", "conflict"]
    detail: str


class BulkResult(BaseModel):
    """What became of the rows of a bulk call: 201 all created, 200 some were there just so, 207
    some were not added, since they are wrong or are there with other values."""

    created: int
    skipped: int
    conflicts: int
    failed: int
    results: list[RowResult]


class ItemPatch(_Request):
    """What to change of an item. Fields that are left out stay as they are."""

    status: Given[Status] = None
    reason: Given[Reason | Literal["found", "returned"]] = None
    """Why it is not present: sold, stolen, lost or moved. Why it is again: found or returned."""
    x_position: Position | None = None
    y_position: Position | None = None
    zone_id: ZoneId | None = None
    """Null is none."""

    @model_validator(mode="after")
    def _is_whole(self) -> ItemPatch:
        if not self.model_fields_set:
            raise ValueError("status: nothing is to be changed; give a status or a position")
        if self.status is None and self.reason is not None:
            raise ValueError("reason: it goes with a status")
        if self.status == "not_present" and self.reason not in ("sold", "stolen", "lost", "moved"):
            raise ValueError("reason: not_present needs one of sold, stolen, lost or moved")
        if self.status == "present" and self.reason not in (None, "found", "returned"):
            raise ValueError("reason: that of present is found or returned")
        return self


class SimulationStart(_Request):
    """What to simulate with; everything has a default."""

    mode: Mode = "realistic"
    speed: Annotated[float, Field(ge=SPEED[0], le=SPEED[1], allow_inf_nan=False)] = 1.0
    """Simulated seconds to a real one."""
    disappearance: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.015
    """Share of the items within reach that leave with the shopper."""
    snapshot_interval: Annotated[int, Field(ge=SNAPSHOT_SECONDS[0], le=SNAPSHOT_SECONDS[1])] = 3600
    """Simulated seconds between two snapshots."""
    duration: Annotated[float, Field(ge=1, le=LONGEST_SECONDS, allow_inf_nan=False)] | None = None
    """Simulated seconds to run; else until it is stopped."""
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED)] = 42
    analytics: bool = True
    """Whether readings and snapshots are kept; sales always are."""


class SimulationParams(BaseModel):
    """What a simulation goes by."""

    mode: str
    speed: float
    disappearance: float
    snapshot_interval: int
    duration: float | None
    seed: int
    analytics: bool


class SimulationChange(_Request):
    """What may change while a simulation runs. Fields that are left out stay as they are."""

    mode: Given[Mode] = None
    speed: Given[Annotated[float, Field(ge=SPEED[0], le=SPEED[1], allow_inf_nan=False)]] = None
    disappearance: Given[Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]] = None
    snapshot_interval: Given[
        Annotated[int, Field(ge=SNAPSHOT_SECONDS[0], le=SNAPSHOT_SECONDS[1])]
    ] = None
    analytics: Given[bool] = None


class SimulationCounts(BaseModel):
    """What has happened since it began."""

    visitors: int
    turned_away: int
    baskets: int
    sold: int
    revenue: float
    stolen: int
    restocked: int
    refused: int
    detections: int
    snapshots: int


class SimulationStatus(BaseModel):
    """How the simulation is doing. `idle`: none was started here. `elsewhere`: who else
    simulates in this store. `clock` is the simulated wall clock."""

    state: Literal["idle", "running", "stopped", "finished", "failed"]
    elsewhere: str | None = None
    error: str | None = None
    params: SimulationParams | None = None
    started_at: datetime | None = None
    began: datetime | None = None
    clock: datetime | None = None
    times_real: float | None = None
    shoppers: int = 0
    employees: int = 0
    products: int = 0
    items_present: int = 0
    items_missing: int = 0
    counts: SimulationCounts | None = None


class LogEntry(BaseModel):
    """A line of a simulation's log; numbers count from 1."""

    number: int
    at: datetime
    text: str


class SimulationLog(BaseModel):
    """Lines of a simulation's log, oldest first."""

    lines: list[LogEntry]


class BackfillIn(_Request):
    """Days to backfill, `until` being the day after the last: today, if nothing is said.

    `replace` takes back earlier backfills that have any of these days, all that they wrote; the
    job's result says which days that were.
    """

    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = 30
    density: Density = "normal"
    replace: bool = False
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED)] = 42
    until: date | None = None


class OriginIn(_Request):
    """What is about to come: the `store` of a retailer by its number, or null for templates."""

    store: Annotated[int, Field(ge=1, le=_MOST_COUNT)] | None


class Origin(BaseModel):
    """The `store` of a retailer that this one is; null for templates, or where nothing is noted."""

    store: int | None


class Health(BaseModel):
    """Whether the service can work."""

    status: Literal["ok"]
    version: str
    database: str
    simulation: str
