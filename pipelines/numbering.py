"""Codes of components delivered without one: the code that its place had before, else a new one.

A place and class have one code, whatever the order of the rows and however often they are loaded: live
components are recalled first, then those that are gone, and what is new is numbered from west to east.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from census.coding import next_codes, recall_codes
from census.identifiers import LAST_SEQUENCE, SEQUENCE_DIGITS
from census.standing import standing
from gis.columnwise import read_columns
from gis.database import read_rows
from gis.faults import Faults
from pipelines.context import BuildContext
from pipelines.placement import representative_points

DATASET = "components"
_USED = """
    SELECT left(code, -6) AS prefix, max(right(code, 6)::int) AS largest
    FROM components.component WHERE code ~ '^[0-9]{16,17}$' GROUP BY 1
"""
_EVERY = """
    SELECT DISTINCT left(code, -6) AS prefix, right(code, 6)::int AS sequence
    FROM components.component WHERE code ~ '^[0-9]{16,17}$' AND left(code, -6) = ANY (%s)
"""
_QUARANTINED = """
    SELECT DISTINCT r.code FROM meta.reject r JOIN meta.build b USING (build_id)
    WHERE r.dataset = 'components' AND r.severity = 'error' AND b.status = 'live'
      AND r.code ~ '^[0-9]{16,17}$'
"""
_GONE = """
    SELECT DISTINCT ON (c.code) c.code, c.class_code, c.geom FROM components.component c
    WHERE c.valid_to IS NOT NULL AND c.class_code = ANY (%s)
      AND NOT EXISTS (SELECT FROM components.component l WHERE l.code = c.code AND l.valid_to IS NULL)
    ORDER BY c.code, c.row_id DESC
"""


def complete_codes(
    rows: gpd.GeoDataFrame,
    faults: Faults,
    *,
    context: BuildContext,
    districts: "pd.Series[str]",
    delivered: "pd.Series[str]",
) -> "pd.Series[str]":
    """Return the codes with the missing ones recalled or newly given, and report those (C011).

    Parameters
    ----------
    rows : geopandas.GeoDataFrame
        Sound rows with ``code`` and ``class_code``, in the city's CRS.
    faults : Faults
        Gets C011.
    context : BuildContext
        Live components and the database with those that are gone.
    districts : pandas.Series
        District per row; missing: the city's code.
    delivered : pandas.Series
        Codes of all rows of the delivery, refused ones too: none of them is given to another row.
    """
    code = rows["code"].copy()
    blank = rows[code.isna()]
    if blank.empty:
        return code
    recalled = _recall(blank, context=context, delivered=delivered)
    new = blank[recalled.isna()]
    given = pd.Series(None, index=blank.index, dtype=object)
    if len(new):
        prefix = districts[new.index].fillna(context.profile.city.code).astype("str")
        at = coordinates(new)
        prefixes = (prefix + new["class_code"].astype("str")).iloc[np.lexsort([at[:, 1], at[:, 0]])]
        # Numbered in the order of place: `reindex` puts each code back to its own row.
        numbered = _number(prefixes, context=context, sound=code, delivered=delivered)
        given = numbered.reindex(blank.index)
    code = code.fillna(recalled).fillna(given).astype(object)
    faults.add("C011", rows["code"].isna(), code=code)
    return code


def judge_claims(rows: pd.DataFrame, faults: Faults, *, context: BuildContext) -> None:
    """Refuse corrected rows whose code is another component's: nothing that is live is overwritten.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows with ``code``, ``source_file`` and ``source_row``.
    faults : Faults
        Gets C012.
    context : BuildContext
        Live components, and which of them came by the same delivery.
    """
    if context.corrects is None:
        return
    live = context.rows(DATASET)
    live = live[live["code"].isin(rows["code"].dropna())].set_index("code")
    found = live.reindex(rows["code"]).set_index(rows.index)
    source = found["source_file"].astype(str) + " row " + found["source_row"].astype(str)
    own = rows["source_file"].astype(str) + " row " + rows["source_row"].astype(str)
    claims = context.corrects.claims.reindex(rows.index)
    is_other = found["build_id"].notna() & source.ne(own)
    mask = is_other & (claims | context.corrects.brought(found)) & standing(rows, faults)
    faults.add("C012", mask, code=rows["code"], first=source)


def coordinates(rows: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Return east and north of each representative point, m."""
    points: NDArray[np.float64] = shapely.get_coordinates(
        representative_points(rows.geometry).to_numpy()
    )
    return points


def _recall(
    blank: gpd.GeoDataFrame, *, context: BuildContext, delivered: "pd.Series[str]"
) -> "pd.Series[str]":
    """Return the code of the component that stood at each place, live ones first."""
    given = set(delivered.dropna())
    live = context.features(DATASET)
    live = live[~live["code"].isin(given)]
    if context.corrects is not None:
        live = live[~context.corrects.brought(live)]
    found = recall_codes(coordinates(blank), blank["class_code"], before=_places(live))
    rest = blank[found.isna()]
    if rest.empty:
        return found
    gone = _gone(rest, context=context)
    gone = gone[~gone["code"].isin(given)]
    return found.fillna(
        recall_codes(coordinates(rest), rest["class_code"], before=_places(gone))
    ).astype(object)


def _gone(rows: pd.DataFrame, *, context: BuildContext) -> gpd.GeoDataFrame:
    """Return the last version of each component of these classes that is live no more."""
    classes = sorted(rows["class_code"].unique())
    with context.database.connect(read_only=True) as connection:
        return read_columns(connection, _GONE, [classes], crs=context.database.crs)


def _places(components: gpd.GeoDataFrame) -> pd.DataFrame:
    at = coordinates(components)
    return pd.DataFrame(
        {
            "code": components["code"],
            "class_code": components["class_code"],
            "x": at[:, 0],
            "y": at[:, 1],
        }
    )


def _number(
    prefixes: "pd.Series[str]",
    *,
    context: BuildContext,
    sound: "pd.Series[str]",
    delivered: "pd.Series[str]",
) -> "pd.Series[str]":
    """Return new codes after the largest of the sound rows and of all that ever were.

    Codes of components that are gone are never given to another object, nor are those of refused
    rows, which may still be corrected.
    """
    with context.database.connect(read_only=True) as connection:
        history = read_rows(connection, _USED)
        quarantined = read_rows(connection, _QUARANTINED)["code"]
        known = zip(history["prefix"], history["largest"], strict=True)
        largest = {str(prefix): int(sequence) for prefix, sequence in known}
        for prefix, sequences in _sequences(sound.dropna()).items():
            largest[prefix] = max(largest.get(prefix, 0), int(sequences.max()))
        taken = _sequences(pd.concat([delivered.dropna(), quarantined], ignore_index=True))
        tight = [
            str(prefix)
            for prefix, count in prefixes.value_counts().items()
            if largest.get(str(prefix), 0) + count + len(taken.get(str(prefix), ())) > LAST_SEQUENCE
        ]
        used: dict[str, list[int]] = {prefix: [] for prefix in tight}
        if tight:
            every = read_rows(connection, _EVERY, [tight])
            used |= every.groupby("prefix")["sequence"].agg(list).to_dict()
    return next_codes(prefixes, largest=largest, taken=taken, used=used)


def _sequences(codes: "pd.Series[str]") -> dict[str, NDArray[np.int64]]:
    """Return the sequences under each district and class, of those that are platform codes.

    Examples
    --------
    >>> _sequences(pd.Series(["1301020104000007", "x", "13010201040000008"]))
    {'1301020104': array([7]), '13010201040': array([8])}
    """
    text = pa.array([code for code in codes if code.isascii()], type=pa.large_string())
    text = text.filter(pc.match_substring_regex(text, "^[0-9]{16,17}$"))
    prefix = pc.utf8_slice_codeunits(text, 0, -SEQUENCE_DIGITS).dictionary_encode()
    sequence = pc.cast(pc.utf8_slice_codeunits(text, -SEQUENCE_DIGITS), pa.int64()).to_numpy()
    group = prefix.indices.to_numpy()
    order = np.argsort(group, kind="stable")
    ends = np.cumsum(np.bincount(group, minlength=len(prefix.dictionary)))
    parts = np.split(sequence[order], ends[:-1])
    return dict(zip(prefix.dictionary.to_pylist(), parts, strict=False))
