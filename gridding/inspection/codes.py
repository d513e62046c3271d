"""Code rules: there, of the right length, used once, of a known community, not retired."""

import geopandas as gpd
import numpy as np
import pandas as pd

from gridding.inspection.findings import LAYER, Findings
from gridding.inspection.layer import CheckOptions, GridLayer, Surroundings
from gridding.numbering import COMMUNITY_DIGITS

_SHOWN = 6


def find_codes(
    layer: GridLayer, findings: Findings, *, around: Surroundings, options: CheckOptions
) -> None:
    """Find codes that are missing, misshapen, borne twice, foreign or retired: UG01-04, UG27, UG29."""
    if not layer.has_codes:
        findings.add("UG29", np.array([LAYER]))
        return
    code = pd.Series(layer.code, dtype=object)
    missing = code.isna()
    findings.add("UG01", np.flatnonzero(missing))
    shaped = code.str.fullmatch(rf"[0-9]{{{options.code_length}}}").eq(True)
    wrong = np.flatnonzero(~missing & ~shaped)
    findings.add("UG02", wrong, length=options.code_length)
    _find_doubles(layer, findings, code=code)
    if around.communities is not None:
        known = code.str[:COMMUNITY_DIGITS].isin(around.communities["code"])
        findings.add("UG04", np.flatnonzero(~missing & shaped & ~known))
    findings.add("UG27", np.flatnonzero(code.isin(around.retired)))


def _find_doubles(layer: GridLayer, findings: Findings, *, code: "pd.Series[str]") -> None:
    again = np.flatnonzero(code.notna() & code.duplicated(keep="first"))
    if len(again) == 0:
        return
    frame = layer.frame
    place = frame["source_file"].astype(str) + " row " + frame["source_row"].astype(str)
    first = place.groupby(code).first()
    findings.add("UG03", again, first=first.reindex(code.iloc[again]).to_numpy())


def find_unused_numbers(
    layer: GridLayer, findings: Findings, *, around: Surroundings, options: CheckOptions
) -> None:
    """Find numbers below a community's largest that no grid ever bore: UG26, told at that grid."""
    code = pd.Series(layer.code, dtype=object)
    shaped = code.str.fullmatch(rf"[0-9]{{{options.code_length}}}").eq(True)
    digits = options.code_length - COMMUNITY_DIGITS
    past = pd.Series(sorted(around.retired), dtype=object)
    past = past[past.str.len().eq(options.code_length)]
    ever = pd.DataFrame({"code": pd.concat([code[shaped], past]).drop_duplicates()})
    ever["community"] = ever["code"].str[:COMMUNITY_DIGITS]
    ever["number"] = ever["code"].str[COMMUNITY_DIGITS:].astype(int)
    ever = ever[ever["community"].isin(_covered_communities(layer, around.communities))]
    row_of = pd.Series(code.index[shaped], index=code[shaped]).groupby(level=0).first()
    ever["row"] = ever["code"].map(row_of)
    for community, group in ever.groupby("community"):
        numbers = group["number"].to_numpy()
        left_out = np.setdiff1d(np.arange(1, numbers.max()), numbers)
        own = group[group["row"].notna()]
        if len(left_out) == 0 or own.empty:
            continue
        row = int(own["row"].iloc[int(own["number"].argmax())])
        texts = {"community": community, "numbers": ranges(left_out, digits=digits)}
        findings.add("UG26", np.array([row]), count=len(left_out), **texts)


def _covered_communities(layer: GridLayer, communities: gpd.GeoDataFrame | None) -> list[str]:
    """Return the communities that have grids in the layer."""
    prefix = pd.Series(layer.code, dtype=object).str[:COMMUNITY_DIGITS].dropna().unique()
    known = prefix if communities is None else np.intersect1d(prefix, communities["code"])
    return sorted(str(code) for code in known)


def ranges(numbers: "np.ndarray[tuple[int], np.dtype[np.int64]]", *, digits: int) -> str:
    """Return sorted numbers as a short text: runs with a dash, cut off after six.

    Examples
    --------
    >>> ranges(np.array([3, 17, 18, 19, 40]), digits=3)
    '003, 017-019, 040'
    """
    starts = np.flatnonzero(np.diff(numbers, prepend=numbers[:1] - 2) > 1)
    runs = np.split(numbers, starts[1:])
    texts = [
        f"{run[0]:0{digits}}" if len(run) == 1 else f"{run[0]:0{digits}}-{run[-1]:0{digits}}"
        for run in runs[:_SHOWN]
    ]
    return ", ".join(texts) + (" …" if len(runs) > _SHOWN else "")
