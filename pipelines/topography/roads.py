"""Rules of the road graph: names that go on, pieces that hang together, crossings that are cut."""

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pipelines.topography.crossings import road_names
from pipelines.topography.maprows import MapRows
from pipelines.topography.network import MINOR_PREFIXES, RoadGraph, road_graph
from pipelines.values import names_of

_STRAIGHT_DEG = 45.0
_REACH_M = 12.0
_ISLAND_SHARE = 0.05
"""A piece with more than this share of all roads is a part of the city, not an isolated piece."""


def check_roads(rows: MapRows) -> None:
    """Record stretches without the name around them, isolated pieces, and crossings that are not cut."""
    single = rows.distinct(np.arange(len(rows.table), dtype=np.intp))
    graph = road_graph(rows.table.iloc[single], snap_m=rows.limits.snap_m)
    if graph.edges.empty:
        return
    positions = pd.Series(np.arange(len(rows.table)), index=rows.table.index)
    at = positions.reindex(graph.edges["row"]).to_numpy(dtype=np.intp)
    _check_names(rows, graph, at)
    _check_several_names(rows)
    _check_pieces(rows, graph, at)
    _check_cuts(rows, graph, positions)


def _check_names(rows: MapRows, graph: RoadGraph, at: np.ndarray) -> None:
    """Record nameless stretches at both ends of which one named road goes on, nearly straight."""
    names = road_names(graph.edges["name"]).to_numpy(dtype=object)
    arms = _arms(graph, names)
    blank = np.flatnonzero(pd.isna(names))
    ends = arms.loc[arms["edge"].isin(blank)]
    beside = ends.merge(arms[arms["name"].notna()], on="node", validate="m:m", suffixes=("", "_on"))
    turn = np.abs((beside["direction"] - beside["direction_on"] + 180) % 360 - 180)
    straight = beside[turn > 180 - _STRAIGHT_DEG]
    straight = straight.assign(row=at[straight["edge"].to_numpy(dtype=np.intp)])
    both = straight.groupby(["row", "name_on"])["node"].nunique().reset_index()
    both = both[both["node"] > 1].sort_values(["row", "name_on"]).drop_duplicates("row")
    rows.note("TP50", both["row"].to_numpy(), name=both["name_on"].to_numpy(dtype=object))


def _arms(graph: RoadGraph, names: np.ndarray) -> pd.DataFrame:
    lines = graph.edges.geometry.to_numpy()
    length = shapely.length(lines)
    reach = np.minimum(_REACH_M, length)
    parts = []
    for node, start, stop in (("u", np.zeros(len(lines)), reach), ("v", length, length - reach)):
        begin, end = (
            shapely.get_coordinates(shapely.line_interpolate_point(lines, along))
            for along in (start, stop)
        )
        direction = np.degrees(np.arctan2(end[:, 1] - begin[:, 1], end[:, 0] - begin[:, 0])) % 360
        parts.append(
            pd.DataFrame(
                {
                    "edge": np.arange(len(lines)),
                    "node": graph.edges[node].to_numpy(),
                    "direction": direction,
                    "name": names,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _check_several_names(rows: MapRows) -> None:
    """Record road lines whose name holds two."""
    lines = rows.select(("42", "43", "44"), dimension=1)
    listed = names_of(
        pd.DataFrame({"name": rows.table["name"].to_numpy(dtype=object)[lines]}), "name"
    )
    several = np.array([len(each) > 1 for each in listed], dtype=bool)
    told = [each for each in listed if len(each) > 1]
    rows.note(
        "TP51",
        lines[several],
        name=np.array([each[0] for each in told], dtype=object),
        other=np.array([each[1] for each in told], dtype=object),
    )


def _check_pieces(rows: MapRows, graph: RoadGraph, at: np.ndarray) -> None:
    count = len(graph.nodes)
    ones = np.ones(len(graph.edges), dtype=np.int8)
    matrix = coo_array((ones, (graph.edges["u"], graph.edges["v"])), shape=(count, count))
    _, piece = connected_components(matrix, directed=False)
    length = graph.edges.geometry.length.to_numpy()
    of_edge = piece[graph.edges["u"].to_numpy()]
    total = np.bincount(of_edge, length)
    alone = total < _ISLAND_SHARE * total.sum()
    major = ~graph.edges["feature_class"].astype(str).str.startswith(MINOR_PREFIXES).to_numpy()
    found = np.flatnonzero(alone[of_edge] & major)
    rows.note("TP53", at[found], size=total[of_edge[found]])


def _check_cuts(rows: MapRows, graph: RoadGraph, positions: "pd.Series[int]") -> None:
    bare = graph.unnoded[~graph.unnoded["is_joined"]]
    first, second = (
        positions.reindex(bare[side]).to_numpy(dtype=np.intp) for side in ("first", "second")
    )
    rows.note("TP54", second, other=rows.words[first])
