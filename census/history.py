"""A delivery beside what is loaded: columns that emptied, classes that shrank or grew, places left out."""

from collections.abc import Mapping

import pandas as pd

from census.standing import add_once, standing
from census.taxonomy import STANDARDS, read_taxonomy
from gis.faults import Faults

LEAST_ROWS = 20
"""Classes with fewer components, then and now, are too small for shares."""
LEAST_IN_COMMUNITY = 10
_MOST_NAMED = 5
_COLUMNS: Mapping[str, tuple[str, str]] = {
    "competent": ("competent department", "主管部门"),
    "owner": ("property owner", "权属单位"),
    "maintainer": ("maintainer", "养护单位"),
    "condition": ("condition", "状态"),
    "data_source": ("data source", "数据来源"),
    "location_note": ("position in words", "位置描述"),
}


def judge_same_codes(rows: pd.DataFrame, faults: Faults, *, live: pd.DataFrame) -> None:
    """Report codes that the database has for a thing of another class (C008).

    The generations of 2007 and 2013 both have codes of 16 digits, whose class means different things.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows with ``code``, ``class_code``, ``class_name`` and ``standard_ref``.
    faults : Faults
        Gets C008.
    live : pandas.DataFrame
        Live components: ``code``, unique, ``class_code`` and ``standard_ref``.
    """
    again = rows[rows["code"].isin(live["code"]) & standing(rows, faults)]
    if again.empty or "standard_ref" not in live:
        return
    before = live.set_index("code").reindex(again["code"])[["standard_ref", "class_code"]]
    before.index = again.index
    moved = before["class_code"].ne(again["class_code"]) | before["standard_ref"].ne(
        again["standard_ref"]
    )
    differs, before = again[moved], before[moved]
    if differs.empty:
        return
    known = {
        (ref, entry.code): entry.name
        for ref in STANDARDS
        for entry in read_taxonomy(ref).all("component")
    }
    pairs = zip(before["standard_ref"], before["class_code"], strict=True)
    old = pd.Series([known.get(pair, pair[1]) for pair in pairs], index=differs.index, dtype=object)
    faults.add(
        "C008",
        old.ne(differs["class_name"]),
        code=differs["code"],
        before=old,
        standard_ref=before["standard_ref"],
        class_name=differs["class_name"],
    )


def judge_completeness(
    rows: pd.DataFrame, faults: Faults, *, live: pd.DataFrame, drop: float
) -> None:
    """Report columns that are emptier than in the last version of the class (C090), once for each.

    Parameters
    ----------
    rows : pandas.DataFrame
        Tidied rows with ``class_code`` and ``class_name``.
    faults : Faults
        Gets C090, on the first row where the column is empty.
    live : pandas.DataFrame
        Live components that this delivery replaces.
    drop : float
        Fall of the filled share that is let pass, of the city profile.
    """
    kept = rows[standing(rows, faults)]
    now, then = kept["class_code"].value_counts(), live["class_code"].value_counts()
    classes = now.index[(now >= LEAST_ROWS) & (then.reindex(now.index).fillna(0) >= LEAST_ROWS)]
    kept, live = kept[kept["class_code"].isin(classes)], live[live["class_code"].isin(classes)]
    if kept.empty:
        return
    filled_now, filled_then = _filled(kept), _filled(live)
    share_now = filled_now.groupby(kept["class_code"]).mean()
    share_then = filled_then.groupby(live["class_code"]).mean()
    for name, (label, label_zh) in _COLUMNS.items():
        fell = share_then[name] - share_now[name] > drop + 1e-9
        blank = ~filled_now[name] & kept["class_code"].isin(fell.index[fell])
        add_once(
            faults,
            "C090",
            blank,
            groups=kept["class_code"],
            field=label,
            field_zh=label_zh,
            class_name=kept["class_name"],
            now=kept["class_code"].map(share_now[name]),
            before=kept["class_code"].map(share_then[name]),
        )


def judge_counts(rows: pd.DataFrame, faults: Faults, *, live: pd.DataFrame, change: float) -> None:
    """Report classes with far fewer (C091) or far more (C092) components, and communities left out (C097).

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows with ``class_code``, ``class_name`` and ``community_code``, the community by position.
    faults : Faults
        Gets C091, C092 and C097, each once for each class, on its first row.
    live : pandas.DataFrame
        Live components that this delivery replaces: ``class_code``, ``community_code``.
    change : float
        Change of the number, as a share of what it was, that is let pass.
    """
    kept = rows[standing(rows, faults)]
    now, then = kept["class_code"].value_counts(), live["class_code"].value_counts()
    both = pd.DataFrame({"now": now, "then": then}).dropna()
    both = both[both.max(axis=1) >= LEAST_ROWS]
    for rule, far in (
        ("C091", both["now"] < both["then"] * (1 - change)),
        ("C092", both["now"] > both["then"] * (1 + change)),
    ):
        add_once(
            faults,
            rule,
            kept["class_code"].isin(both.index[far]),
            groups=kept["class_code"],
            class_name=kept["class_name"],
            now=kept["class_code"].map(now),
            before=kept["class_code"].map(then),
        )
    _judge_communities(kept, faults, live=live)


def _judge_communities(rows: pd.DataFrame, faults: Faults, *, live: pd.DataFrame) -> None:
    columns = ["class_code", "community_code"]
    then = live.dropna(subset=columns).groupby(columns).size().rename("before").reset_index()
    then = then[then["before"] >= LEAST_IN_COMMUNITY]
    then = then[then["class_code"].isin(rows["class_code"])]
    now = rows[columns].dropna().drop_duplicates()
    gone = then.merge(now, on=columns, how="left", indicator=True, validate="one_to_one")
    gone = gone[gone["_merge"] == "left_only"].sort_values(columns)
    if gone.empty:
        return
    named = gone.groupby("class_code")["community_code"].agg(
        lambda codes: ", ".join(codes[:_MOST_NAMED]) + (" …" if len(codes) > _MOST_NAMED else "")
    )
    add_once(
        faults,
        "C097",
        rows["class_code"].isin(named.index),
        groups=rows["class_code"],
        class_name=rows["class_name"],
        communities=rows["class_code"].map(named),
        missing=rows["class_code"].map(gone.groupby("class_code")["before"].sum()),
    )


def _filled(rows: pd.DataFrame) -> pd.DataFrame:
    """Return which of `_COLUMNS` each row has; a unit counts by its code or its name."""
    filled = {name: rows[name].notna() for name in ("data_source", "location_note")}
    filled["condition"] = rows["condition"].notna() & rows["condition"].ne("unknown")
    for role in ("competent", "owner", "maintainer"):
        filled[role] = rows[f"{role}_code"].notna() | rows[f"{role}_name"].notna()
    return pd.DataFrame(filled, index=rows.index)
