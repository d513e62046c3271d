"""Place names from annotations 注记 of maps: labels joined, repeats made one, tied to what they name."""

import re
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.names.generics import trailing_generic
from pipelines.place_names.labels import (
    Label,
    is_name,
    join_characters,
    join_repeats,
    join_rows,
    plain_text,
)

ANNOTATION = re.compile(r"[1-8]\d9\d{3}")
"""Feature classes of annotations: 429000 names of roads, 219000 names of rivers (GB/T 13923)."""
LINE_M = 30.0
"""A label farther from a road or river does not name it."""
POLYGON_M = 15.0
WORD_M = 80.0
"""Characters of one name stand within this distance of each other."""
REPEAT_M = 500.0
"""Labels of one text that stand at nothing are one place if they are no farther apart."""
_THEMES = {
    "street": "4",
    "nature": "278",
    "site": "3842",
    "joined": "3",
    "area": "6",
    "number": "3",
}
"""Kind of generic part -> first digits of the feature classes it may name."""


_ENDS = {"4": ("street",), "2": ("nature",)}
"""Theme of the host -> kinds of generic parts that end its name."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the labels of a map gave."""

    names: gpd.GeoDataFrame
    """``name``, geometry, ``feature_code``, ``feature_name``, ``source_file``, ``source_row`` of the first
    label."""
    texts: int
    """Labels read."""
    no_names: int
    """Labels that are no names: heights, materials, kinds of ground."""


def is_annotation(feature_class: "pd.Series[str]") -> "pd.Series[bool]":
    """Return which feature classes stand for annotations.

    Examples
    --------
    >>> is_annotation(pd.Series(["429000", "219000", "430501", None])).tolist()
    [True, True, False, False]
    """
    return (
        feature_class.astype("string").str.fullmatch(ANNOTATION.pattern).fillna(False).astype(bool)
    )


def read_annotations(texts: gpd.GeoDataFrame, features: gpd.GeoDataFrame) -> Reading:
    """Return the names that labels write, each once, with the shape of what it names.

    A label names the nearest feature of a fitting class: a street name a road, the name of a water
    water, others the smallest polygon that holds it. All pieces of a road of one name are one.

    Parameters
    ----------
    texts : geopandas.GeoDataFrame
        ``name`` (the text), ``feature_class`` (may be missing), ``source_file``, ``source_row``.
    features : geopandas.GeoDataFrame
        Base map: ``code``, ``feature_class``, ``name``, geometry in the same CRS.
    """
    texts = texts[texts.geometry.notna() & ~texts.geometry.is_empty].reset_index(drop=True)
    plain = [plain_text(text) if isinstance(text, str) else "" for text in texts["name"]]
    named = [at for at, text in enumerate(plain) if is_name(text)]
    points = shapely.get_coordinates(shapely.centroid(texts.geometry.to_numpy()))
    hosts = _Hosts(features)
    labels = []
    for at in named:
        label = Label(text=plain[at], at=((points[at][0], points[at][1]),), rows=(at,))
        labels.append(label)
    single = _single(labels)
    labels = [
        replace(label, host=hosts.host_of(label, _themes(texts, label), single)) for label in labels
    ]
    joined = join_repeats(_join(labels, hosts), distance_m=REPEAT_M)
    rows = [hosts.place(label) for label in joined]
    first = [min(label.rows) for label in joined]
    table = {
        "name": [label.text for label in joined],
        "feature_code": [row[0] for row in rows],
        "feature_name": [row[1] for row in rows],
        "source_file": texts["source_file"].iloc[first].tolist(),
        "source_row": texts["source_row"].iloc[first].tolist(),
    }
    frame = gpd.GeoDataFrame(
        pd.DataFrame(table, dtype=object),
        geometry=gpd.GeoSeries([row[2] for row in rows], crs=texts.crs),
        crs=texts.crs,
    )
    return Reading(names=frame, texts=len(texts), no_names=len(texts) - len(named))


def _single(labels: list[Label]) -> dict[str, shapely.Geometry]:
    """Return where each character stands that is written alone."""
    places: dict[str, list[tuple[float, float]]] = {}
    for label in labels:
        if len(label.text) == 1:
            places.setdefault(label.text, []).append(label.at[0])
    return {sign: shapely.MultiPoint(points) for sign, points in places.items()}


def _themes(texts: gpd.GeoDataFrame, label: Label) -> str:
    """Return the first digits of the classes that a label may name: its own theme, else by its generic."""
    text = label.text
    own = texts["feature_class"].iloc[label.rows[0]] if "feature_class" in texts else None
    if isinstance(own, str) and own[:1].isdigit():
        return own[0]
    generic = trailing_generic(text)
    return _THEMES.get(generic.kind, "") if generic else ("42" if len(text) == 1 else "3842")


def _join(labels: list[Label], hosts: "_Hosts") -> list[Label]:
    groups: dict[str, list[Label]] = {}
    for label in labels:
        groups.setdefault(label.host, []).append(label)
    result = []
    for host, group in sorted(groups.items()):
        axis = hosts.axis(host) if host else None
        if axis is None:
            result += _join_loose(group)
            continue
        called, kinds = hosts.called(host), hosts.kinds(host)
        whole = join_characters(group, axis, kinds=kinds, called=called)
        result += join_rows(whole, called=called) if shapely.get_dimensions(axis) == 2 else whole
    return sorted(result, key=lambda label: min(label.rows))


def _join_loose(labels: list[Label]) -> list[Label]:
    """Join characters that stand at nothing, those near each other."""
    single = [label for label in labels if len(label.text) == 1]
    result = [label for label in labels if len(label.text) > 1]
    if len(single) < 2:
        return result
    points = shapely.points([label.at[0] for label in single])
    pairs = shapely.STRtree(points).query(points, predicate="dwithin", distance=2 * LINE_M)
    group = list(range(len(single)))
    for one, other in zip(*pairs.tolist(), strict=True):
        low, high = sorted((group[one], group[other]))
        group = [low if known == high else known for known in group]
    for root in sorted(set(group)):
        members = [label for label, known in zip(single, group, strict=True) if known == root]
        result += join_characters(members, None)
    return result


def _support(name: str, single: dict[str, shapely.Geometry], point: shapely.Point) -> float:
    """Return the share of a name's characters that are written within `WORD_M` of a point."""
    signs = set(name)
    near = [sign in single and bool(shapely.dwithin(single[sign], point, WORD_M)) for sign in signs]
    return sum(near) / len(signs)


class _Hosts:
    """Features that labels may name, roads and rivers of one name as one."""

    def __init__(self, features: gpd.GeoDataFrame) -> None:
        shapes = features.geometry.to_numpy()
        dimension = shapely.get_dimensions(shapes)
        kept = (dimension > 0) & ~is_annotation(features["feature_class"]).to_numpy()
        self.code = features["code"].to_numpy(dtype=object)[kept]
        self.theme = features["feature_class"].astype(str).str[0].to_numpy(dtype=object)[kept]
        name = features["name"].to_numpy(dtype=object)[kept]
        self.name = np.array(
            [text if isinstance(text, str) else None for text in name], dtype=object
        )
        self.shape = shapes[kept]
        self.is_line = dimension[kept] == 1
        self.tree = shapely.STRtree(self.shape)
        self.members: dict[str, list[int]] = {}
        self.key = [
            f"{self.theme[at]}{self.name[at]}" if self.name[at] and self.is_line[at] else f"={code}"
            for at, code in enumerate(self.code)
        ]
        for at, key in enumerate(self.key):
            self.members.setdefault(key, []).append(at)

    def host_of(self, label: Label, themes: str, single: dict[str, shapely.Geometry]) -> str:
        """Return the key of what a label names; empty: nothing fits.

        One that is called so already goes before nearer ones; then the smallest polygon that holds the
        label, for streets the nearest line. `single` holds where each character stands alone.
        """
        point = shapely.Point(label.at[0])
        near = self.tree.query(point, predicate="dwithin", distance=LINE_M)
        fits = [at for at in sorted(near.tolist()) if self.theme[at] in themes]
        if not fits:
            return ""
        called = [at for at in fits if label.text in (self.name[at] or "")]
        if (
            len(label.text) == 1 and len(called) > 1
        ):  # 路 at a crossing: where the rest of the name is
            support = {at: _support(self.name[at], single, point) for at in called}
            called = [at for at in called if support[at] == max(support.values())]
        streets = themes == "4" or themes.startswith("2")
        ranked = []
        for at in called or fits:
            apart = float(shapely.distance(self.shape[at], point))
            if not self.is_line[at] and apart > POLYGON_M:
                continue
            size = 0.0 if self.is_line[at] else float(shapely.area(self.shape[at]))
            ranked.append((self.is_line[at] != streets, apart, size, str(self.code[at]), at))
        return self.key[min(ranked)[-1]] if ranked else ""

    def called(self, host: str) -> str | None:
        """Return the own name of a host."""
        name: str | None = self.name[self.members[host][0]]
        return name

    def kinds(self, host: str) -> tuple[str, ...]:
        """Return the kinds of generic parts that end the name of a host."""
        theme = self.theme[self.members[host][0]]
        return _ENDS.get(theme, ("site", "area", "street"))

    def axis(self, host: str) -> shapely.Geometry:
        """Return the shape of a host: all pieces of a road."""
        shapes = self.shape[self.members[host]]
        return shapes[0] if len(shapes) == 1 else shapely.union_all(shapes)

    def place(self, label: Label) -> tuple[str | None, str | None, shapely.Geometry]:
        """Return code, own name and shape of what a label names; its middle part where nothing fits."""
        if not label.host:
            return None, None, shapely.Point(label.at[len(label.at) // 2])
        members = self.members[label.host]
        shape = self.axis(label.host)
        if shapely.get_type_id(shape) == shapely.GeometryType.MULTILINESTRING:
            shape = shapely.line_merge(shape)
        return min(str(code) for code in self.code[members]), self.name[members[0]], shape
