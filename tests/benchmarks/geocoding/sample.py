"""The sample district: built through the real pipeline, asked clean and disturbed.

The answers lie beside the delivery; the platform never reads them. Right is the code of the
delivered address or the same thing out of another database (within `SAME_M`); a crossing, an offset
from one or the other side of a road has no code and is right within `NEAR_M`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from gis.addresses.spelling import normalise
from gis.sheets import read_sheet
from pipelines.sample.writing import write_sample
from tests.benchmarks.geocoding.disturbing import WAYS, Saying, disturb
from tests.benchmarks.geocoding.queries import SAME_M, Query

CITY, CRS = "130102", "EPSG:4547"
PROFILE = f'[city]\ncode = "{CITY}"\nname = "石家庄市"\ncrs = "{CRS}"\n'
SEED = 77
"""Seed of the district; none of the tests uses it."""
OTHER_SEED = 4711
"""Seed of a larger district with more names that are alike; nothing was ever set by it."""
NEAR_M = {"crossing": 30.0, "crossing_offset": 30.0, "poi_opposite": 30.0}
"""Of ways of saying without a code: half the width of a large crossing with its pavements, m."""
_LEVELS = ("省", "市", "区县", "街道", "社区")


def write_workspace(folder: Path, *, seed: int = SEED, area_km2: float = 2.0) -> Path:
    """Write ``wanmi.toml`` and the delivery into `folder`; return the delivery's folder."""
    write_sample(folder / "delivery", area_km2=area_km2, seed=seed, imagery=False)
    (folder / "wanmi.toml").write_text(PROFILE, encoding="utf-8")
    return folder / "delivery"


def clean_queries(delivery: Path) -> list[tuple[Query, Saying]]:
    """Return the queries of ``answers/addresses.csv``, and door plates by a road's former name."""
    places = _addresses(delivery)
    asked = pd.read_csv(delivery / "answers" / "addresses.csv", dtype=str, keep_default_na=False)
    areas = sorted({*places["街道"], *places["社区"]} - {""})
    by_code = places.set_index("编号").to_dict("index")
    found = []
    for row in asked.to_dict("records"):
        place = by_code.get(row["code"], {})
        saying = _saying(row["query"], row["how"], place, areas)
        found.append((_query(row, place), saying))
    return [*found, *_by_former_name(delivery, places)]


def disturbed_queries(
    clean: Sequence[tuple[Query, Saying]], delivery: Path, *, seed: int
) -> Iterator[Query]:
    """Spoil each clean query in every way that applies; the way is the line of the table."""
    rivals = Rivals(_addresses(delivery))
    for query, saying in clean:
        for way in WAYS:
            text = disturb(saying, way, seed=seed)
            if text is not None:
                yield Query(
                    text=text, x=query.x, y=query.y, line=way, code=query.code,
                    near_m=query.near_m, wanted=query.text,
                    is_ambiguous=query.is_ambiguous or rivals.is_ambiguous(saying, text),
                )  # fmt: skip


class Rivals:
    """Finds other places that a spoilt text fits as well as the one meant."""

    def __init__(self, places: pd.DataFrame) -> None:
        plates = places[places["类型"] == "门牌"]["名称"]
        marks = places[places["类型"].isin(["兴趣点", "小区", "楼牌"])]
        aliases = marks["别名"][marks["别名"] != ""]
        roads = places[places["类型"] == "街巷"]["名称"]
        self._plates = sorted(set(map(normalise, plates)))
        self._names = sorted(set(map(normalise, [*marks["名称"], *aliases, *roads])))

    def is_ambiguous(self, saying: Saying, text: str) -> bool:
        """Tell whether the spoilt name is at most as many edits from another name as from its own.

        Only edits of names are judged: spellings, areas and words around them leave it as it was.
        """
        found = _spoilt_name(saying, text)
        if found is None:
            return False
        name, spoilt = found
        whole, given = normalise(name + saying.plate), normalise(spoilt + saying.plate)
        own = DamerauLevenshtein.distance(whole, given)
        known = self._plates if saying.plate else self._names
        near = process.extract(
            given, known, scorer=DamerauLevenshtein.distance, score_cutoff=own, limit=3
        )
        return any(other != whole for other, _, _ in near)


def _spoilt_name(saying: Saying, text: str) -> tuple[str, str] | None:
    """Return a name and what the text has in its place; None if all names stand in it unspoilt."""
    for name in saying.names:
        start, end = saying.text.find(name), saying.text.find(name) + len(name)
        head, tail = saying.text[:start], saying.text[end:]
        if name in text or start < 0 or not (text.startswith(head) and text.endswith(tail)):
            continue
        spoilt = text[len(head) : len(text) - len(tail)]
        return None if spoilt.isascii() else (name, spoilt)
    return None


def _query(row: dict[str, str], place: dict[str, str]) -> Query:
    return Query(
        text=row["query"],
        x=float(row["x"]),
        y=float(row["y"]),
        line=row["how"],
        code="" if row["how"] == "poi_opposite" else row["code"],
        near_m=NEAR_M.get(row["how"], SAME_M),
        wanted=place.get("名称", row["query"]),
    )


def _saying(text: str, how: str, place: dict[str, str], areas: Sequence[str]) -> Saying:
    if how.startswith("crossing"):
        pair = text.split("路口")[0].removesuffix("交叉口").removesuffix("交口")
        return Saying(text=text, names=tuple(pair.replace("和", "与").split("与")))
    plain = normalise(text)
    candidates = (place.get("街巷", ""), place["小区"], place["兴趣点"], place["别名"])
    names = [name for name in candidates if name and name in text]
    if how != "plate":
        names = [name for name in names if name != place["街巷"]]
    own = tuple(place[level] for level in _LEVELS)
    is_plate = how == "plate" and place["门牌"] in plain
    plate = text[text.find(names[0]) + len(names[0]) :] if is_plate and names else ""
    return Saying(
        text=text,
        names=tuple(names),
        plate=plate,
        areas=own if all(own) else (),
        neighbours=tuple(area for area in areas if area not in own and place["社区"]),
    )


def _by_former_name(delivery: Path, places: pd.DataFrame) -> list[tuple[Query, Saying]]:
    names = read_sheet(delivery / "03地名" / "标准地名.csv").frame
    renamed = names[names["曾用名"].notna() & names["标准名称"].notna()]
    former = dict(zip(renamed["标准名称"], renamed["曾用名"], strict=True))
    plates = places[(places["类型"] == "门牌") & places["街巷"].isin(former)]
    found = []
    for row in plates.groupby("街巷").head(3).to_dict("records"):
        road = former[row["街巷"]]
        text = road + row["门牌"]
        query = Query(
            text=text, x=float(row["X"]), y=float(row["Y"]), line="former_name", code=row["编号"],
            wanted=row["名称"],
        )  # fmt: skip
        found.append((query, Saying(text=text, names=(road,), plate=row["门牌"])))
    return found


def _addresses(delivery: Path) -> pd.DataFrame:
    """Read the delivered sheet of addresses, the planted faults left out."""
    frame = read_sheet(delivery / "04地理编码" / "门楼牌与兴趣点.xlsx").frame.astype(object)
    frame = frame.where(frame.notna(), "")
    sound = frame["编号"].str.startswith(f"DZ{CITY}") & ~frame["编号"].duplicated(keep=False)
    return frame[sound].reset_index(drop=True)
