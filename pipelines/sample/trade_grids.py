"""Management grids 管理网格 of three trades, and evaluation grids 评价网格, as tables of communities."""

import pandas as pd
import shapely

from pipelines.sample.areas import DISTRICT, Area, Areas
from pipelines.sample.units import Directory, unit_code

_TRADES = (("环卫", "HW", "211"), ("园林", "YL", "210"), ("执法", "ZF", "101"))
"""Trade, letters in its codes, short code of the unit that works there."""
_LEADERS = ("赵建国", "钱秀英", "孙志强", "李桂兰", "周海涛", "吴玉梅", "郑卫东", "王丽华")
_BY_STREET = "执法"
"""Enforcement works by streets, the others by one or two communities."""
_SHARED_BORDER_M = 20.0


def management_grid_table(areas: Areas, directory: Directory) -> pd.DataFrame:
    """Return the management grids of sanitation, green space and enforcement.

    A row names communities: all their unit grids are meant, whatever their codes will be. Together
    the grids of a trade cover the district.
    """
    pairs = [group for street in areas.streets for group in _pairs(areas, street.code)]
    streets = [_members(areas, street.code) for street in areas.streets]
    rows = []
    for trade, letters, unit in _TRADES:
        groups = streets if trade == _BY_STREET else pairs
        for number, group in enumerate(groups, start=1):
            leaders = [_LEADERS[(number * step + len(letters)) % len(_LEADERS)] for step in (0, 3)]
            leaders.append(_LEADERS[(number * 5 + ord(letters[0])) % len(_LEADERS)])
            rows.append(
                {
                    "管理网格编码": f"{DISTRICT}{letters}{number:03d}",
                    "管理网格名称": "、".join(area.name for area in group[:2]) + trade + "网格",
                    "行业": trade,
                    "单元网格": "；".join(area.code for area in group),
                    "责任单位代码": unit_code(unit),
                    "责任单位": directory.names[unit_code(unit)],
                    "区级责任人": leaders[0],
                    "街道级责任人": leaders[1],
                    "网格级责任人": leaders[2],
                }
            )
    return pd.DataFrame(rows, dtype=object)


def evaluation_grid_table(areas: Areas, directory: Directory) -> pd.DataFrame:
    """Return one evaluation grid per street: its communities, under the street's own unit."""
    rows = [
        {
            "评价网格编码": f"PJ{street.code}",
            "评价网格名称": f"{street.name}评价网格",
            "单元网格": "；".join(area.code for area in _members(areas, street.code)),
            "责任单位代码": directory.territories[street.code],
        }
        for street in areas.streets
    ]
    return pd.DataFrame(rows, dtype=object)


def _members(areas: Areas, street: str) -> list[Area]:
    return [area for area in areas.communities if area.code.startswith(street)]


def _pairs(areas: Areas, street: str) -> list[list[Area]]:
    """Join each community with the neighbour that it shares the longest border with, if one is free."""
    free = _members(areas, street)
    groups = []
    while free:
        first = free.pop(0)
        shared = [shapely.length(shapely.intersection(first.land, area.land)) for area in free]
        group = [first]
        if shared and max(shared) > _SHARED_BORDER_M:
            group.append(free.pop(shared.index(max(shared))))
        groups.append(group)
    return groups
