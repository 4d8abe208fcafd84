"""Distribution centres and their trucks, large enough for the chain's busiest days."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from retail_datagen.config.models import RetailConfig
from retail_datagen.config.profile import Profile
from retail_datagen.core.arrays import I16, I32, I64, Bool
from retail_datagen.core.ids import Digits, fixed_text
from retail_datagen.core.rng import Stream
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.world.arrow import numpy_of, rows
from retail_datagen.world.errors import MasterDataError, Misfit
from retail_datagen.world.files import MasterFile
from retail_datagen.world.geography import MICRO
from retail_datagen.world.model import DistributionCenters, Geographies, Trucks
from retail_datagen.world.people import check_contacts, phones
from retail_datagen.world.sites import Depots
from retail_datagen.world.stores import UNITS_PER_LINE, units_per_day

_PEAK = 4
"""A DC can ship this many mean days in one: Black Friday is 3.5."""
_LEAST_THROUGHPUT = 5_000
_STOCK_ROOM = 4
"""A DC holds this many times its mean stock."""
_SUPPLIER_DAYS = 14
_UNITS_PER_PRODUCT = 50
_TRUCK_UNITS = (1200, 2000, 3000)
_TRUCKS_PER_STORE = 2
MOST_DCS = 99
"""Plans pack a cell of DC and product into 24 bits."""
CASES_PER_TRUCK = 4
"""Every truck must hold so many of the largest case pack, that no order is too large for it."""

DISTRIBUTION_CENTERS = Table(
    name="distribution_centers",
    doc="Distribution centres.",
    columns=(
        Column("DCID", Kind.INT, "Identifier", example="1"),
        Column("DCName", Kind.TEXT, "Name", example="Maple Falls DC"),
        Column("GeographyID", Kind.INT, "City", references="geographies.GeographyID"),
        Column("City", Kind.TEXT, "City"),
        Column("State", Kind.TEXT, "State"),
        Column("Phone", Kind.TEXT, "Phone number, 555-01xx"),
        Column("Capacity", Kind.LONG, "Units that the DC can hold"),
        Column("Throughput", Kind.LONG, "Units that the DC can ship in a day"),
        Column("Latitude", Kind.FLOAT, "Degrees north"),
        Column("Longitude", Kind.FLOAT, "Degrees east"),
    ),
    key=("DCID",),
)

TRUCKS = Table(
    name="trucks",
    doc="Trucks, each at home in one DC.",
    columns=(
        Column("TruckId", Kind.TEXT, "Identifier", example="TRK1001"),
        Column("DCID", Kind.INT, "Home", references="distribution_centers.DCID"),
        Column("Capacity", Kind.INT, "Units that fit", example="2000"),
        Column("Refrigerated", Kind.FLAG, "Whether it may carry refrigerated products"),
    ),
    key=("TruckId",),
)


def _dc_units(config: RetailConfig, stores: pa.Table, dc_ids: I64) -> list[float]:
    """Mean units a day that the stores of each DC sell."""
    units = units_per_day(config, numpy_of(stores["TrafficMultiplier"]))
    home = numpy_of(stores["DCID"])
    return [math.fsum(units[home == dc].tolist()) for dc in dc_ids.tolist()]


def build_distribution_centers(
    config: RetailConfig,
    profile: Profile,
    depots: Depots,
    geographies: pa.Table,
    stores: pa.Table,
    products: int,
) -> pa.Table:
    """One row per DC, with room for so many products."""
    volume, supply = config.volume, profile.supply
    modes = profile.online.modes
    from_dc = modes.get("SHIP_FROM_DC", 0.0) / (math.fsum(modes.values()) or 1.0)
    online = volume.online_orders_per_day * profile.online.lines_mean * UNITS_PER_LINE * from_dc
    days = supply.dc_cover_days + supply.dc_safety_days + _SUPPLIER_DAYS
    count = len(depots.city)
    units = [u + online / count for u in _dc_units(config, stores, depots.dc_id)]
    capacity = [math.ceil(_STOCK_ROOM * days * u + _UNITS_PER_PRODUCT * products) for u in units]
    throughput = [max(_LEAST_THROUGHPUT, math.ceil(_PEAK * u)) for u in units]
    towns = geographies.take(pa.array(depots.city))
    return pa.table(
        {
            "DCID": depots.dc_id.astype(np.int32),
            "DCName": pc.binary_join_element_wise(towns["City"], "DC", " "),
            "GeographyID": towns["GeographyID"],
            "City": towns["City"],
            "State": towns["State"],
            "Phone": phones(Stream(config.seed, "dcs"), count),
            "Capacity": capacity,
            "Throughput": throughput,
            "Latitude": depots.latitude / MICRO,
            "Longitude": depots.longitude / MICRO,
        }
    )


def build_trucks(
    config: RetailConfig, profile: Profile, stores: pa.Table, dc_ids: I64, case: int
) -> pa.Table:
    """Trucks of every DC: for its peak day, two per store, enough of them refrigerated.

    Each holds enough of the largest `case` pack.
    """
    stream = Stream(config.seed, "trucks")
    home = numpy_of(stores["DCID"])
    sizes = np.maximum(_TRUCK_UNITS, CASES_PER_TRUCK * case).astype(np.int32)
    dc_of: list[I32] = []
    capacity_of: list[I32] = []
    cold_of: list[Bool] = []
    for dc, units in zip(dc_ids.tolist(), _dc_units(config, stores, dc_ids), strict=True):
        served = int((home == dc).sum())
        most = max(_TRUCKS_PER_STORE * served, math.ceil(_PEAK * units / int(sizes.min())), 2)
        drawn = sizes[stream.below(most, len(sizes))]
        enough = int(np.searchsorted(np.cumsum(drawn), math.ceil(_PEAK * units))) + 1
        capacity = drawn[: min(most, max(enough, _TRUCKS_PER_STORE * served, 2))]
        count = len(capacity)
        # One of them for every store, but never all: frozen food and toys travel apart.
        cold = max(round(profile.supply.refrigerated_trucks * count), served + 1)
        dc_of.append(np.full(count, dc, dtype=np.int32))
        capacity_of.append(capacity)
        cold_of.append(stream.permutation(count) < min(cold, count - 1))
    total = sum(map(len, dc_of))
    width = max(4, len(str(total + 1000)))
    numbers = np.arange(10 ** (width - 1) + 1, 10 ** (width - 1) + 1 + total)
    return pa.table(
        {
            "TruckId": fixed_text([b"TRK", Digits(numbers, width)]),
            "DCID": np.concatenate(dc_of),
            "Capacity": np.concatenate(capacity_of),
            "Refrigerated": np.concatenate(cold_of),
        }
    )


def read_distribution_centers(file: MasterFile, geographies: Geographies) -> DistributionCenters:
    """DCs sorted by identifier."""
    file.unique("DCID")
    identifier = file.ints("DCID", 1, 9999)
    few_enough(file, identifier)
    geography = file.references("GeographyID", geographies.geography_id, ["stores.csv"])
    capacity = file.ints("Capacity", 1, 2**40)
    throughput = file.ints("Throughput", 1, 2**40)
    file.scaled("Latitude", MICRO, -90, 90)
    file.scaled("Longitude", MICRO, -180, 180)
    check_contacts(file)
    order = np.argsort(identifier, kind="stable")
    return DistributionCenters(
        identifier[order].astype(np.int32),
        geography[order].astype(np.int32),
        capacity[order],
        throughput[order],
    )


def few_enough(file: MasterFile, dc_ids: NDArray[Any]) -> None:
    """Raise MasterDataError when a file has, or asks for, more DCs than plans can number."""
    if len(dc_ids) > MOST_DCS:
        raise MasterDataError(
            f"{file.path}: has {len(dc_ids)} distribution centres; allowed: {MOST_DCS} at most"
        )


def read_trucks(file: MasterFile, dc_ids: I32, packs: I16) -> Trucks:
    """Trucks sorted by identifier; they must be able to carry the case packs of all products.

    Raises MasterDataError for a DC that has no truck of a kind, refrigerated or not.
    """
    file.unique("TruckId")
    identifier = file.texts("TruckId", r"^[A-Za-z0-9_-]{1,20}$", "1 to 20 letters and digits")
    keep = ("stores.csv", "distribution_centers.csv")
    dc = file.references("DCID", dc_ids, keep)
    capacity = file.ints("Capacity", 1, 2**31 - 1)
    case = int(packs.max())
    least = CASES_PER_TRUCK * case
    file.require(
        capacity >= least,
        "Capacity",
        f"at least {least} units, for {CASES_PER_TRUCK} of the largest Pack in products.csv, "
        f"{case}",
        keep=["products.csv"],
    )
    cold = file.flags("Refrigerated")
    fleet = np.bincount(dc * 2 + cold, minlength=2 * len(dc_ids))
    if not fleet.all():
        home, kind = divmod(int(np.argmin(fleet)), 2)
        raise Misfit(
            f"{file.path}: no truck with DCID {dc_ids[home]} and Refrigerated "
            f"{'true' if kind else 'false'}; every distribution centre needs one at least of each "
            "kind",
            file.name,
            "distribution_centers.csv",
            keep,
        )
    order = numpy_of(pc.sort_indices(identifier)).astype(np.int64)
    return Trucks(
        identifier.take(rows(order)),
        dc[order].astype(np.int16),
        capacity[order].astype(np.int32),
        cold[order],
    )
