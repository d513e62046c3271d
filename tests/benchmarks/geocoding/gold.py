"""Addresses that other Chinese parsers were reported to get wrong, asked of the whole engine.

Each string is asked in a small city of its own: the district and street 街道 that it names, the
place it means, and neighbours that must not be taken for it (the next number, a road of the same
stem, a place in a second street). Then it is asked in all the other cities, where the only right
answer is none, or one of little score.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import shapely

from api.edition import Edition
from gis.workspace import parse_profile
from tests.api.district import X0, Y0, area, box, grid, open_district, place, point
from tests.benchmarks.geocoding.queries import Query, ask_all

_FILE = Path(__file__).with_name("gold.csv")
_TARGET = (50.0, 50.0)


@cache
def rows() -> pd.DataFrame:
    """Return the strings with the place that each means, and where they were reported."""
    return pd.read_csv(_FILE, dtype=str, keep_default_na=False)


def outcomes() -> pd.DataFrame:
    """Ask each string in its own city (line *at home*) and in every other (line *elsewhere*)."""
    table = rows().to_dict("records")
    found = []
    with TemporaryDirectory(prefix="wanmi-gold-") as folder:
        for number, row in enumerate(table):
            edition = _edition(Path(folder) / str(number), row)
            found.append(ask_all(edition, [_at_home(row)]))
            others = [other for other in table if other["city"] != row["city"]]
            found.append(ask_all(edition, list(_elsewhere(row, others))))
    return pd.concat(found, ignore_index=True)


def _at_home(row: dict[str, str]) -> Query:
    x, y = X0 + _TARGET[0], Y0 + _TARGET[1]
    is_area = row["kind"] == "area"
    return Query(
        text=row["text"],
        x=x,
        y=y,
        line="at home",
        code=f"area:{row['district_code']}001" if is_area else "target",
        wanted=row["district"] + row["street"] + row["road"] + row["plate"] + row["name"],
    )


def _elsewhere(row: dict[str, str], others: list[dict[str, str]]) -> Iterator[Query]:
    for other in others:
        yield Query(
            text=other["text"],
            x=float("inf"),
            y=float("inf"),
            line="elsewhere",
            wanted=f"nothing in {row['city']}{row['district']}",
            has_answer=False,
        )


def _edition(folder: Path, row: dict[str, str]) -> Edition:
    folder.mkdir()
    code = row["district_code"]
    halves = {"001": box(0, 0, 100, 100), "002": box(100, 0, 200, 100)}
    names = {"001": row["street"], "002": "新村街道"}
    areas = [area(code, row["district"], box(0, 0, 200, 100))]
    for number, shape in halves.items():
        areas.append(area(code + number, names[number], shape))
        areas.append(area(f"{code}{number}001", f"第{number[-1]}社区", shape))
    grids = [grid(f"{code}{number}001001", shape) for number, shape in halves.items()]
    city = parse_profile(f'[city]\ncode = "{code}"\nname = "{row["city"]}"\n')
    places = list(_places(row, areas))
    snapshot = open_district(
        folder, city=city, areas=areas, unit_grids=grids, places=places, units=[]
    )
    return snapshot.edition(None)


def _places(row: dict[str, str], areas: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    code, head = row["district_code"], row["district"] + row["street"]
    for one in areas:
        yield place(
            f"area:{one['code']}", "area", one["name"], one["geometry"],
            full_address=one["name"], source="areas", district=row["district"],
            community_code=one["code"] if len(one["code"]) == 12 else None,
        )  # fmt: skip
    if row["kind"] == "area":
        return
    home = {"district": row["district"], "street": row["street"]}
    home |= {"community_code": f"{code}001001"}
    road, plate = row["road"] or None, row["plate"] or None
    own = {level: row["name"] for level in ("block", "poi") if row["kind"] == level}
    whole = head + row["road"] + row["plate"]
    if row["kind"] != "plate" and row["name"] not in whole:
        whole += row["name"]
    yield place(
        "target", row["kind"], row["name"], point(*_TARGET),
        full_address=whole, road=road, plate=plate, **home, **own,
    )  # fmt: skip
    if road and row["kind"] != "street":
        yield place(
            "road", "street", road, shapely.LineString([(X0, Y0 + 40), (X0 + 100, Y0 + 40)]),
            full_address=head + road, road=road, **home,
        )  # fmt: skip
        yield place(
            "next", "plate", "7号", point(90, 44),
            full_address=f"{head}{road}7号", road=road, plate="7号", **home,
        )  # fmt: skip
    yield place(
        "decoy", "poi", "友谊商店", point(150, 50), full_address=row["district"] + "新村街道友谊商店",
        district=row["district"], street="新村街道", community_code=f"{code}002001",
    )  # fmt: skip
