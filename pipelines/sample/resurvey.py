"""A second survey of the sample district, a year later, by a team that did not look at the first."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipelines.sample.areas import DISTRICT
from pipelines.sample.faults import fault_table
from pipelines.sample.shapefiles import write_shapefile

CLASSES = ("0101", "0102", "0104", "0106", "0130", "0137", "0402")
"""Classes that are surveyed again whole; 0105 is only added to, 0127 said to be of 2007."""
_WORDS = {
    "intact": "完好",
    "damaged": "破损",
    "lost": "丢失",
    "abandoned": "废弃",
    "removed": "移除",
    "occupied": "占用",
}
_COLUMNS: Mapping[str, str] = {
    "ObjID": "code",
    "ObjName": "name",
    "DeptCode1": "competent_code",
    "DeptName1": "competent_name",
    "DeptCode2": "owner_code",
    "DeptName2": "owner_name",
    "DeptCode3": "maintainer_code",
    "DeptName3": "maintainer_name",
    "ObjPos": "location_note",
    "DataSource": "data_source",
}
_HEAD = '[delivery]\nname = "2026-resurvey"\nas_of = 2026-12-31\n'
Record = tuple[str, int, str, str, str]


@dataclass(frozen=True, kw_only=True)
class _Layer:
    """One file of the second survey."""

    class_code: str
    frame: gpd.GeoDataFrame
    records: tuple[Record, ...] = ()
    more: str = ""
    """Further lines of its entry in the manifest."""


def write_resurvey(folder: Path, live: gpd.GeoDataFrame) -> pd.DataFrame:
    """Write the second survey and return what the platform should say of it, as ``faults.csv``.

    Parameters
    ----------
    folder : pathlib.Path
        Empty folder.
    live : geopandas.GeoDataFrame
        Live components of the first survey, without those it was blamed for: a fault of theirs would
        be one again.
    """
    live = live.sort_values("code", ignore_index=True)
    layers = [_spoilt(_again(live, class_code), live) for class_code in CLASSES]
    layers += [_added(live), _of_2007(live)]
    records: list[Record] = []
    manifest = [_HEAD]
    for layer in layers:
        name = f"{layer.class_code}.shp"
        write_shapefile(layer.frame, folder / name)
        manifest.append(
            f'[[layer]]\ndataset = "components"\npath = "{name}"\n'
            f'class_code = "{layer.class_code}"\n{layer.more}'
        )
        records += layer.records
    (folder / "delivery.toml").write_text("\n".join(manifest), encoding="utf-8")
    return fault_table(records)


def _again(live: gpd.GeoDataFrame, class_code: str) -> gpd.GeoDataFrame:
    """Return the components of a class as the second team writes them."""
    rows = live[live["class_code"] == class_code].reset_index(drop=True)
    table = pd.DataFrame({name: rows[column] for name, column in _COLUMNS.items()}, dtype=object)
    table["ObjState"] = rows["condition"].map(_WORDS).astype(object)
    table["ORDate"] = [f"{day:%Y%m%d}" for day in rows["initial_date"]]
    for number in (1, 2, 3):
        # A name in other words than the directory's would be no fault, a stale one is.
        table[f"DeptName{number}"] = np.full(len(rows), None, dtype=object)
    return gpd.GeoDataFrame(table, geometry=rows.geometry, crs=live.crs)


def _spoilt(frame: gpd.GeoDataFrame, live: gpd.GeoDataFrame) -> _Layer:
    class_code = str(frame["ObjID"].iloc[0])[6:10]
    layer = _Layer(class_code=class_code, frame=frame)
    match class_code:
        case "0101":
            return _moved(layer)
        case "0102":
            return _recoded(layer)
        case "0104":
            return _thinned(layer, live)
        case "0106":
            return _doubled(layer)
        case "0137":
            return _left_out(layer, live)
        case "0402":
            return _emptied(layer)
    return layer


def _record(layer: _Layer, row: int, rule: str, note: str, *, expected: str = "warned") -> Record:
    return (f"{layer.class_code}.shp", row, expected, rule, note)


def _moved(layer: _Layer) -> _Layer:
    """Move one a little, and give the code of another to what stands across the district."""
    frame = layer.frame.copy()
    shapes = frame.geometry.to_numpy().copy()
    shapes[2] = shapely.transform(shapes[2], lambda xy: xy + np.array([15.0, 0.0]))
    far = int(np.argmax(shapely.distance(shapes, shapes[4])))
    shapes[4] = shapely.transform(shapes[far], lambda xy: xy + np.array([3.0, 2.0]))
    return replace(
        layer,
        frame=frame.set_geometry(shapes, crs=frame.crs),
        records=(
            _record(layer, 3, "C013", "15 m from where it was"),
            _record(layer, 5, "C018", "code given to another object", expected="refused"),
        ),
    )


def _recoded(layer: _Layer) -> _Layer:
    frame = layer.frame.copy()
    frame.loc[1, "ObjID"] = f"{DISTRICT}{layer.class_code}970001"
    return replace(layer, frame=frame, records=(_record(layer, 2, "C017", "new code, same thing"),))


def _thinned(layer: _Layer, live: gpd.GeoDataFrame) -> _Layer:
    """Deliver two of five in each community, at least one."""
    community = live.set_index("code").loc[layer.frame["ObjID"], "community_code"].to_numpy()
    order = layer.frame.groupby(community).cumcount()
    frame = layer.frame[order % 5 < 2].reset_index(drop=True)
    return replace(
        layer, frame=frame, records=(_record(layer, 0, "C091", "three of five missing"),)
    )


def _doubled(layer: _Layer) -> _Layer:
    """Add a second one 1.5 m beside nearly each."""
    more = layer.frame.iloc[: int(len(layer.frame) * 0.8)].copy()
    more["ObjID"] = [f"{DISTRICT}{layer.class_code}{970001 + n:06d}" for n in range(len(more))]
    shifted = shapely.transform(more.geometry.to_numpy(), lambda xy: xy + np.array([1.1, 1.0]))
    frame = pd.concat([layer.frame, more.set_geometry(shifted, crs=more.crs)], ignore_index=True)
    return replace(layer, frame=frame, records=(_record(layer, 0, "C092", "most of them twice"),))


def _left_out(layer: _Layer, live: gpd.GeoDataFrame) -> _Layer:
    """Leave out the community with the most but one of them."""
    community = live.set_index("code").loc[layer.frame["ObjID"], "community_code"]
    gone = community.value_counts().index[1]
    frame = layer.frame[(community != gone).to_numpy()].reset_index(drop=True)
    return replace(layer, frame=frame, records=(_record(layer, 0, "C097", f"nothing in {gone}"),))


def _emptied(layer: _Layer) -> _Layer:
    frame = layer.frame.copy()
    frame.loc[frame.index % 2 == 0, "ObjPos"] = None
    record = _record(layer, 0, "C090", "every other position in words is gone")
    return replace(layer, frame=frame, records=(record,))


def _added(live: gpd.GeoDataFrame) -> _Layer:
    """Deliver one cover that is there already, as an addition."""
    frame = _again(live, "0105").iloc[[0]].reset_index(drop=True)
    frame.loc[0, "ObjID"] = f"{DISTRICT}0105970001"
    shifted = shapely.transform(frame.geometry.to_numpy(), lambda xy: xy + np.array([0.2, 0.1]))
    layer = _Layer(class_code="0105", frame=frame.set_geometry(shifted, crs=frame.crs))
    record = _record(layer, 1, "C027", "added beside one that stays")
    return replace(layer, records=(record,), more='mode = "update"\n')


def _of_2007(live: gpd.GeoDataFrame) -> _Layer:
    """Deliver cabinets 交接箱 as class 0127 of 2007, which was 中水井盖."""
    frame = _again(live, "0127")
    frame["ObjName"] = np.full(len(frame), None, dtype=object)
    layer = _Layer(class_code="0127", frame=frame)
    records = tuple(
        _record(layer, row, "C008", "cover for recycled water, by the standard of 2007")
        for row in range(1, len(frame) + 1)
    )
    return replace(layer, records=records, more='[layer.options]\nstandard = "CJ/T 214-2007"\n')
