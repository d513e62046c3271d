"""The words of answers: reasons and trace lines in both languages, from the package's tables."""

from functools import cache
from typing import Any, Literal

from api.models import TraceStep
from gis.codes import read_table

ROLES_ZH = {
    "maintainer": "养护单位",
    "owner": "权属单位",
    "competent": "主管部门",
    "handler": "处置单位",
    "territorial": "属地单位",
}
LEVELS_ZH = {
    "grid": "网格",
    "community": "社区",
    "street": "街道",
    "district": "区县",
    "city": "全市",
}


@cache
def reasons() -> dict[str, dict[str, str]]:
    """Return what each reason of a decision means: code -> review, en, zh; in order of gravity.

    Examples
    --------
    >>> reasons()["outside_grids"]["zh"]
    '位置在所有单元网格之外，给出最近者。'
    """
    return {row["code"]: row for row in read_table("api.telling", "reasons.csv")}


@cache
def _lines() -> dict[str, tuple[str, str, bool]]:
    """Return each line in both languages, and whether the Chinese one names a role or a level."""
    return {
        row["code"]: (row["en"], row["zh"], "_zh}" in row["zh"])
        for row in read_table("api.telling", "trace.csv")
    }


def told(code: str, **values: Any) -> tuple[str, str]:
    """Return a trace line in English and Chinese.

    Examples
    --------
    >>> told("record_empty", role="owner")
    ("the component's record names no owner", '部件记录未填写权属单位')
    """
    english, chinese, has_names = _lines()[code]
    if has_names:
        values["role_zh"] = ROLES_ZH.get(str(values.get("role")), "")
        values["level_zh"] = LEVELS_ZH.get(str(values.get("level")), "")
    return english.format_map(values), chinese.format_map(values)


def step(
    name: str,
    candidate: str,
    outcome: Literal["accepted", "rejected"],
    why: tuple[str, str],
) -> TraceStep:
    """Return a line of the trace with its reason in both languages."""
    return TraceStep(step=name, candidate=candidate, outcome=outcome, why=why[0], why_zh=why[1])
