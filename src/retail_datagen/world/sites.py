"""Where a chain builds: cities for its DCs and stores, and which DC serves which store.

DCs spread over the country as people do; stores stand in cities around their DC, so that a small
chain is a regional one and its trucks' ways are a day's drive.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from retail_datagen.core.arrays import I64
from retail_datagen.core.rng import Stream, integer_weights, slots
from retail_datagen.world.arrow import numpy_of
from retail_datagen.world.geography import MICRO
from retail_datagen.world.geometry import metres, moved, nearest

Places = tuple[I64, I64]
"""Latitudes and longitudes in micro-degrees."""

_REACH_KM = 200
"""Distance from a DC at which a city is half as likely to get a store; the fourth power rules."""
_TOWN_METRES = 9_000
"""Stores stand at most this far from the middle of their city."""
_ROAD = 1.2
"""Road kilometres per kilometre as the crow flies."""
FARTHEST_KM = 20_000
"""Longest way between a store and its DC."""
_CROWD = 1.3
"""No DC serves more than this times the mean number of stores."""


@dataclass(frozen=True, slots=True)
class Depots:
    """Places of DCs: rows of geographies, and micro-degrees."""

    dc_id: I64
    city: I64
    latitude: I64
    longitude: I64


@dataclass(frozen=True, slots=True)
class Sites:
    """Places of stores: rows of geographies, micro-degrees, rows of the profile's formats.

    `dc` is a row of the depots, `km` the way to it.
    """

    city: I64
    latitude: I64
    longitude: I64
    dc: I64
    km: I64
    format: I64


def choose_depots(geographies: pa.Table, count: int, stream: Stream) -> Depots:
    """Sites of a new chain's DCs, numbered from 1."""
    latitude, longitude = places_of(geographies)
    city = _spread(stream, latitude, longitude, _pull(geographies), count)
    return Depots(np.arange(1, count + 1), city, *_in_town(stream, geographies, city))


def choose_sites(
    geographies: pa.Table, depots: Depots, count: int, formats: list[float], stream: Stream
) -> Sites:
    """Sites of `count` stores around their DCs; formats by their shares."""
    dcs = len(depots.dc_id)
    latitude, longitude = places_of(geographies)
    pull = _pull(geographies)
    home = np.repeat(np.arange(dcs), slots(np.ones(dcs, dtype=np.int64), count))
    city = np.empty(count, dtype=np.int64)
    for dc in range(dcs):
        mine = np.flatnonzero(home == dc)
        place = depots.latitude[dc], depots.longitude[dc]
        km = metres(latitude, longitude, *place) // 1000
        weights = pull * 10_000 * _REACH_KM**4 // (_REACH_KM**4 + km**4)
        city[mine] = pick(stream, np.maximum(weights, 1), len(mine))
    place = _in_town(stream, geographies, city)
    distance = metres(place[0][:, None], place[1][:, None], depots.latitude, depots.longitude)
    dc_of = assign(distance)
    counts = slots(integer_weights(formats), count)
    kind = np.repeat(np.arange(len(formats)), counts)[stream.permutation(count)]
    return Sites(city, *place, dc_of, road_km(distance[np.arange(count), dc_of]), kind)


def depots_of(dcs: pa.Table) -> Depots:
    """The DCs of the user's own file; `city` means nothing."""
    identifiers = numpy_of(dcs["DCID"]).astype(np.int64)
    return Depots(identifiers, np.zeros_like(identifiers), *places_of(dcs))


def depots_around(served: I64, places: Places, geographies: pa.Table, seed: int) -> Depots:
    """A DC for every DCID that serves stores, in the city nearest to the middle of these.

    `served` are the DCIDs of the stores at `places`: [stores].
    """
    identifiers, dc = np.unique(served, return_inverse=True)
    stores = np.bincount(dc)
    latitude, longitude = (np.bincount(dc, degrees) // stores for degrees in places)
    middle = latitude.astype(np.int64), longitude.astype(np.int64)
    city = nearest(*middle, *places_of(geographies))
    place = _in_town(Stream(seed, "sites.depots"), geographies, city)
    return Depots(identifiers.astype(np.int64), city, *place)


def group(places: Places, dcs: int, seed: int) -> I64:
    """The DCs, numbered from 1, of stores that have none: `dcs` groups of neighbours."""
    latitude, longitude = places
    count = min(dcs, len(latitude))
    evenly = np.ones(len(latitude), dtype=np.int64)
    middle = _spread(Stream(seed, "sites.groups"), latitude, longitude, evenly, count)
    distance = metres(latitude[:, None], longitude[:, None], latitude[middle], longitude[middle])
    return assign(distance) + 1


def road_km(distance: I64) -> I64:
    """Road kilometres, from 1 to the farthest, of metres as the crow flies."""
    return np.clip(np.rint(distance * _ROAD / 1000).astype(np.int64), 1, FARTHEST_KM)


def places_of(rows: pa.Table) -> Places:
    """Where the rows of a table with such columns are."""
    return micro(rows["Latitude"]), micro(rows["Longitude"])


def _pull(geographies: pa.Table) -> I64:
    """How many stores a city attracts, relative: the root of its inhabitants."""
    return np.array([math.isqrt(max(0, p)) + 1 for p in geographies["Population"].to_pylist()])


def _in_town(stream: Stream, geographies: pa.Table, city: I64) -> Places:
    """A place in each city."""
    latitude, longitude = places_of(geographies)
    count = len(city)
    away = stream.below(count, _TOWN_METRES)
    return moved(latitude[city], longitude[city], away, stream.below(count, 1024))


def micro(degrees: pa.ChunkedArray) -> I64:
    """A column of degrees in micro-degrees."""
    values: I64 = np.rint(numpy_of(degrees) * MICRO).astype(np.int64)
    return values


def pick(stream: Stream, weights: I64, count: int) -> I64:
    """`count` rows, drawn by weight."""
    bounds = np.cumsum(weights)
    drawn = stream.u64(count) % np.uint64(bounds[-1])
    return np.searchsorted(bounds, drawn.astype(np.int64), side="right").astype(np.int64)


def _spread(stream: Stream, latitude: I64, longitude: I64, pull: I64, count: int) -> I64:
    """Cities by population, each drawn the likelier the farther from those already drawn."""
    chosen: list[int] = []
    nearest = np.full(len(pull), 1000, dtype=np.int64)
    for _ in range(count):
        weights = pull * nearest
        if not weights.any():
            weights = pull
        city = int(pick(stream, weights, 1)[0])
        chosen.append(city)
        km = metres(latitude, longitude, latitude[city], longitude[city]) // 1000
        nearest = np.minimum(nearest, km)
    return np.array(chosen, dtype=np.int64)


def assign(distance: NDArray[Any]) -> I64:
    """Each store's DC from distances [stores, dcs]: the nearest that is not crowded.

    Every DC gets at least one store, if there are as many stores as DCs.
    """
    stores, dcs = distance.shape
    chosen = _nearest_with_room(distance, math.ceil(stores / dcs * _CROWD))
    load = np.bincount(chosen, minlength=dcs)
    for dc in np.flatnonzero(load == 0) if stores >= dcs else ():
        spare = np.flatnonzero(load[chosen] > 1)
        store = spare[distance[spare, dc].argmin()]
        load[chosen[store]] -= 1
        load[dc] = 1
        chosen[store] = dc
    return chosen


def _nearest_with_room(distance: NDArray[Any], limit: int) -> I64:
    """The DC of each store, the shortest way first; none serves more stores than `limit`."""
    stores, dcs = distance.shape
    pairs = stores * dcs
    order = np.sort(distance.astype(np.int64).ravel() * pairs + np.arange(pairs)) % pairs
    chosen, load = [-1] * stores, [0] * dcs
    for pair in order.tolist():
        store, dc = divmod(pair, dcs)
        if chosen[store] < 0 and load[dc] < limit:
            chosen[store] = dc
            load[dc] += 1
    return np.array(chosen, dtype=np.int64)
