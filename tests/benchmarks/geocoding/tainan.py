"""Tainan: official addresses asked for as people wrote them, and the hotline's own cases.

The raw addresses were matched by hand to official ones. Where the remark says that the number was
not found and the nearest one taken, the pair is *nearest number*: then the official point is a
neighbour of the truth. Held-out pairs are those whose official address was not built.

The cases carry the point that the hotline's map gave for the address, or that an officer set: it is
no survey. 62.8 % share a point with another case, so the errors say how far two geocoders of one
address lie apart, not how far the answer is from the door.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gis.addresses.spelling import normalise
from gis.crs import transform_xy
from tests.benchmarks.geocoding.plates import road_and_number
from tests.benchmarks.geocoding.queries import Query
from tests.real import tainan_addresses
from tests.real.tainan import CRS

NEAR_M = 100.0
"""A pair is right within this distance of its official point; a case within `CASE_M`."""
CASE_M = 250.0
_CASES = 2000


@dataclass(frozen=True, kw_only=True)
class Split:
    """Official addresses that are built and held out."""

    built: pd.DataFrame
    asked: pd.DataFrame


def split() -> Split:
    """Read the pairs and hold out a fifth of the official addresses."""
    rows = _placed(tainan_addresses.read_standardised())
    is_held = tainan_addresses.held_out(rows)
    return Split(built=rows[~is_held], asked=rows[is_held])


def pair_queries(parts: Split) -> list[Query]:
    """Return the raw addresses: of built pairs, then of held-out ones."""
    return [
        *_pairs(
            parts.built, lambda remark: "nearest number" if "最接近" in remark else "built pair"
        ),
        *_pairs(parts.asked, lambda _: "held-out pair"),
    ]


def case_queries(parts: Split, *, seed: int = 1) -> list[Query]:
    """Return a sample of the cases; the line says what the built addresses know of the text."""
    cases = _placed(tainan_addresses.read_cases())
    picked = np.random.default_rng(seed).choice(len(cases), _CASES, replace=False)
    cases = cases.iloc[np.sort(picked)]
    addresses = [*parts.built["official"], *tainan_addresses.read_apartments()["详细地址"]]
    plates = {found for found in map(_plate, addresses) if found}
    roads = {road for road, _ in plates}
    queries = []
    for row in cases.itertuples():
        plate = _plate(row.addr)
        line = "case, no plate"
        if plate:
            is_known = "plate" if plate in plates else "road" if plate[0] in roads else ""
            line = f"case, known {is_known}" if is_known else "case, unknown road"
        queries.append(
            Query(
                text=row.addr, x=row.x, y=row.y, line=line, near_m=CASE_M,
                wanted=f"{row.district} {row.addr}",
            )
        )  # fmt: skip
    return queries


def _pairs(rows: pd.DataFrame, line_of: Callable[[str], str]) -> Sequence[Query]:
    return [
        Query(
            text=row.raw, x=row.x, y=row.y, line=line_of(row.remark), code=row.code,
            near_m=NEAR_M, wanted=row.official, is_ambiguous="超過一個" in row.remark,
        )
        for row in rows.itertuples()
    ]  # fmt: skip


def _plate(address: str) -> tuple[str, int] | None:
    """Return the road, without the areas before it, and the first number below it."""
    plain = normalise(address)
    for area in ("市", "区", "里"):
        plain = plain.split(area, 1)[-1] if area in plain[:12] else plain
    return road_and_number(plain)


def _placed(rows: pd.DataFrame) -> pd.DataFrame:
    x, y = transform_xy(rows["lon"].tolist(), rows["lat"].tolist(), source="EPSG:4326", target=CRS)
    return rows.assign(x=x, y=y)
