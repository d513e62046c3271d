"""Codes used twice in a delivery: the first sound row stays, the others are refused."""

import pandas as pd

from gis.faults import Faults


def refuse_repeats(faults: Faults, codes: "pd.Series[str]") -> None:
    """Refuse (P002) rows whose code an earlier row has that is not refused itself.

    Call it after all rules that refuse single rows. Blank codes are no repeats.

    Examples
    --------
    >>> from gis.codes import Rule
    >>> rows = pd.DataFrame({"source_file": "a.shp", "source_row": [1, 2, 3]})
    >>> rule = Rule(code="P002", severity="error", reason_en="{code}: {first}", reason_zh="")
    >>> faults = Faults(rows, rules={"P002": rule})
    >>> refuse_repeats(faults, pd.Series(["x", "y", "x"]))
    >>> faults.outcome().faults["reason_en"].tolist()
    ['x: a.shp row 1']
    """
    sound = codes[~faults.refused & codes.notna()]
    rows = faults.frame.loc[sound.index]
    place = rows["source_file"].astype(str) + " row " + rows["source_row"].astype(str)
    first = place.groupby(sound).transform("first")
    faults.add("P002", sound.duplicated(keep="first"), code=sound, first=first)
