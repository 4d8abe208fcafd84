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

from retail_datagen.core.rng import Stream, integer_weights, slots
from retail_datagen.world.geography import MICRO
from retail_datagen.world.geometry import metres, moved

I64 = NDArray[np.int64]

_REACH_KM = 200
"""Distance from a DC at which a city is half as likely to get a store; the fourth power rules."""
_TOWN_METRES = 9_000
"""Stores stand at most this far from the middle of their city."""
_ROAD = 1.2
"""Road kilometres per kilometre as the crow flies."""
_CROWD = 1.3
"""No DC serves more than this times the mean number of stores."""


@dataclass(frozen=True, slots=True)
class Sites:
    """Rows of geographies, places in micro-degrees, `format` as a row of the profile's formats."""

    dc_city: I64
    dc_latitude: I64
    dc_longitude: I64
    store_city: I64
    store_latitude: I64
    store_longitude: I64
    store_dc: I64
    store_km: I64
    store_format: I64


def choose_sites(
    geographies: pa.Table, stores: int, dcs: int, formats: list[float], seed: int
) -> Sites:
    """Sites of `stores` stores and `dcs` DCs; formats by their shares."""
    stream = Stream(seed, "sites")
    latitude = micro(geographies["Latitude"])
    longitude = micro(geographies["Longitude"])
    pull = np.array([math.isqrt(max(0, p)) + 1 for p in geographies["Population"].to_pylist()])
    dc_city = _spread(stream, latitude, longitude, pull, dcs)
    dc_place = moved(
        latitude[dc_city],
        longitude[dc_city],
        stream.below(dcs, _TOWN_METRES),
        stream.below(dcs, 1024),
    )
    home = np.repeat(np.arange(dcs), slots(np.ones(dcs, dtype=np.int64), stores))
    store_city = np.empty(stores, dtype=np.int64)
    for dc in range(dcs):
        mine = np.flatnonzero(home == dc)
        km = metres(latitude, longitude, *(place[dc] for place in dc_place)) // 1000
        weights = pull * 10_000 * _REACH_KM**4 // (_REACH_KM**4 + km**4)
        store_city[mine] = pick(stream, np.maximum(weights, 1), len(mine))
    place = moved(
        latitude[store_city],
        longitude[store_city],
        stream.below(stores, _TOWN_METRES),
        stream.below(stores, 1024),
    )
    distance = metres(place[0][:, None], place[1][:, None], dc_place[0], dc_place[1])
    store_dc = assign(distance)
    km = np.rint(distance[np.arange(stores), store_dc] * _ROAD / 1000).astype(np.int64)
    counts = slots(integer_weights(formats), stores)
    store_format = np.repeat(np.arange(len(formats)), counts)[stream.permutation(stores)]
    return Sites(dc_city, *dc_place, store_city, *place, store_dc, np.maximum(km, 1), store_format)


def micro(degrees: pa.ChunkedArray) -> I64:
    """A column of degrees in micro-degrees."""
    values: I64 = np.rint(np.asarray(degrees.to_numpy()) * MICRO).astype(np.int64)
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
    limit = math.ceil(stores / dcs * _CROWD)
    pairs = np.sort(
        (
            distance.astype(np.int64) * stores * dcs + np.arange(stores * dcs).reshape(stores, dcs)
        ).ravel()
    ) % (stores * dcs)
    chosen = [-1] * stores
    load = [0] * dcs
    left = stores
    for pair in pairs.tolist():
        store, dc = divmod(pair, dcs)
        if chosen[store] < 0 and load[dc] < limit:
            chosen[store] = dc
            load[dc] += 1
            left -= 1
            if left == 0:
                break
    for dc in range(dcs):
        if load[dc] == 0 and stores >= dcs:
            spare = [s for s in range(stores) if load[chosen[s]] > 1]
            store = min(spare, key=lambda s: (int(distance[s, dc]), s))
            load[chosen[store]] -= 1
            chosen[store] = dc
            load[dc] = 1
    return np.array(chosen, dtype=np.int64)
