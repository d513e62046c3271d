"""What a merge says of delivered rows: faults by the rules of ``census/rules/merging.csv``."""

from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from census.merging.threeway import Merged
from gis.codes import read_rules
from gis.faults import REJECT_COLUMNS, Faults

_RULES = {
    "field": "C050",
    "update_delete": "C051",
    "delete_update": "C052",
    "add_add": "C053",
    "place": "C054",
    "recode": "C056",
}
_ENDED, _BY_PLACE, _NO_VERSION, _TAKEN = "C055", "C057", "C058", "C059"
_SHOWN = 40


def tell(
    merged: Merged, delivered: gpd.GeoDataFrame, *, unknown: "pd.Series[str] | None" = None
) -> pd.DataFrame:
    """Return the faults of a merge, `gis.faults.REJECT_COLUMNS`.

    Rows that are held are refused (severity ``error``); all others only carry a remark.

    Parameters
    ----------
    merged : Merged
        Result of the merge.
    delivered : GeoDataFrame
        What was merged, with ``source_file`` and ``source_row``.
    unknown : pandas.Series or None
        Base hashes that the history does not have, by row of `delivered`.
    """
    faults = Faults(delivered, rules=read_rules("census"))
    for rule, entries in _by_rule(merged.conflicts).items():
        _add(faults, rule, entries)
    ended = merged.held[merged.held == "ended"].index
    _add(faults, _ENDED, [{"record": record, **_codes(delivered, record)} for record in ended])
    by_place = merged.recodes[merged.recodes["evidence"] == "place"]
    former = dict(zip(by_place["code"], by_place["former_code"], strict=True))
    recoded = merged.rows["code"][merged.rows["code"].isin(list(former))]
    _add(
        faults,
        _BY_PLACE,
        [
            {"record": record, "code": code, "base_code": former[code]}
            for record, code in recoded.items()
        ],
    )
    if unknown is not None:
        _add(
            faults,
            _NO_VERSION,
            [
                {"record": record, "base_hash": str(text)[:12], **_codes(delivered, record)}
                for record, text in unknown.items()
            ],
        )
    table = faults.outcome().faults
    left_out = merged.conflicts[merged.conflicts["record"].isna()]
    return pd.concat([table, _left_out(left_out)], ignore_index=True) if len(left_out) else table


def _codes(delivered: pd.DataFrame, record: Any) -> dict[str, Any]:
    return {"code": delivered.loc[record, "code"]}


def _by_rule(conflicts: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in conflicts.to_dict("records"):
        if entry["record"] is None or pd.isna(entry["record"]):
            continue
        is_taken = entry["kind"] == "add_add" and entry["field"] is not None
        rule = _TAKEN if is_taken else _RULES[entry["kind"]]
        if rule == "C050":
            entry["live"], entry["delivered"] = (
                shown(entry[f"{side}_value"]) for side in ("live", "delivered")
            )
        found.setdefault(rule, []).append(entry)
    return found


def _add(faults: Faults, rule: str, entries: list[dict[str, Any]]) -> None:
    """Add one fault per row; a row whose fields contradict several times names the first."""
    if not entries:
        return
    table = pd.DataFrame(entries)
    more = table.groupby("record").cumcount()
    for number in sorted(more.unique()):
        part = table[more == number].set_index("record")
        mask = pd.Series(True, index=part.index)
        values = {name: part[name] for name in part.columns if name != "geometry"}
        faults.add(rule, mask, **values)


def _left_out(conflicts: pd.DataFrame) -> pd.DataFrame:
    """Return faults of components that the delivery leaves out: they have no row."""
    rule = read_rules("census")["C052"]
    rows = [
        {
            "source_file": "",
            "source_row": 0,
            "code": code,
            "rule": rule.code,
            "severity": rule.severity,
            "reason_en": rule.reason_en.format(code=code),
            "reason_zh": rule.reason_zh.format(code=code),
            "record": {},
            "geometry": shape,
        }
        for code, shape in zip(conflicts["code"], conflicts["geometry"], strict=True)
    ]
    return pd.DataFrame(rows, columns=list(REJECT_COLUMNS))


def shown(value: dict[str, Any] | None) -> str:
    """Return a stored value as a short text for people: of a whole row its code, of a geometry its middle.

    Examples
    --------
    >>> shown({"owner_name": "甲", "owner_code": None}), shown({"remark": None}), shown(None)
    ('甲', '–', '–')
    """
    if value is None:
        return "–"
    if "code" in value:
        return str(value["code"])
    if "geometry" in value:
        middle = shapely.centroid(shapely.from_wkb(value["geometry"]))
        return f"{middle.x:.2f}, {middle.y:.2f}"
    texts = [str(item) for item in value.values() if item not in (None, "")]
    text = " / ".join(texts) or "–"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
