"""Component rows that the history has overtaken: they name a former code, or a version that is live no more."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from census.exchange.columns import exchange_columns
from census.exchange.stamp import BASE_BUILD, BASE_HASH
from census.standing import standing
from gis.faults import Faults
from pipelines.context import BuildContext

DATASET = "components"


def claims_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what delivered rows say of their base, None where they say nothing.

    Examples
    --------
    >>> claims_of(pd.DataFrame({"BASE_HASH": ["ab", ""]}))["base_hash"].tolist()
    ['ab', None]
    """
    known = {
        name: column.column
        for column in exchange_columns()
        if column.role == "stamp"
        for name in (column.column, column.short, column.title_zh)
    }
    own = {
        known[str(column).casefold()]: column
        for column in frame.columns
        if str(column).casefold() in known
    }
    columns = {}
    for name in (BASE_BUILD, BASE_HASH):
        if name not in own:
            columns[name] = pd.Series(None, index=frame.index, dtype=object)
            continue
        values = frame[own[name]].astype(object)
        is_blank = values.isna() | (values.astype(str).str.strip() == "")
        columns[name] = values.where(~is_blank, None)
    return pd.DataFrame(columns)


def judge_former_codes(rows: pd.DataFrame, faults: Faults, *, context: BuildContext) -> None:
    """Refuse rows whose code a component bore before it got the one that is live (C009).

    Loaded, they would put the component there a second time. A merge knows what became of a code
    and takes such rows: nothing is said then.
    """
    if context.merges or rows["code"].isna().all():
        return
    following = context.references.recodes()
    if not following:
        return
    live = set(context.rows(DATASET)["code"])
    concerned = rows["code"].isin(list(following)) & ~rows["code"].isin(live)
    current = rows.loc[concerned, "code"].map(lambda code: _newest(code, following))
    mask = current.isin(live).reindex(rows.index, fill_value=False)
    faults.add("C009", mask & standing(rows, faults), code=rows["code"], current=current)


def _newest(code: str, following: Mapping[str, str]) -> str:
    """Return the last of the codes that a component got after another.

    Examples
    --------
    >>> _newest("a", {"a": "b", "b": "c"}), _newest("a", {"a": "b", "b": "a"})
    ('c', 'b')
    """
    seen = {code}
    while (step := following.get(code)) is not None and step not in seen:
        seen.add(step)
        code = step
    return code


def judge_overtaken(
    rows: pd.DataFrame, faults: Faults, *, claims: pd.DataFrame, context: BuildContext
) -> None:
    """Report rows that began from a version which others have changed since (C039).

    Loading replaces what those others did; only a merge joins both, and there nothing is said.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows with ``code``.
    faults : Faults
        Gets C039.
    claims : pandas.DataFrame
        `claims_of` the delivered rows.
    context : BuildContext
        Live components with the build that each came by.
    """
    stated: Any = pd.to_numeric(claims[BASE_BUILD].reindex(rows.index), errors="coerce")
    if context.delivery.base is not None:
        stated = stated.fillna(context.delivery.base)
    if context.merges or stated.isna().all():
        return
    live = context.rows(DATASET)
    if "build_id" not in live:
        return
    newest = rows["code"].map(live.set_index("code")["build_id"])
    mask = (newest > stated) & standing(rows, faults)
    faults.add("C039", mask, code=rows["code"], build=newest, base=stated)
