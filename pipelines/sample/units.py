"""The unit directory 单位名录 and which units each class of components has."""

from dataclasses import dataclass

import pandas as pd

from pipelines.sample.areas import DISTRICT, Areas

COLUMNS = ("单位代码", "单位名称", "别名", "类型", "属地代码", "接替单位代码", "电话")

_UNITS = """
101 长安区城市管理综合执法局 区城管局；长安城管 主管部门
102 长安区住房和城乡建设局 区住建局 主管部门
103 长安区园林绿化服务中心 区园林中心 主管部门
104 长安区环境卫生服务中心 区环卫中心；环卫处 主管部门
105 长安区水利局 - 主管部门
106 市公安局交通管理局长安大队 长安交警大队；交警队 主管部门
107 市生态环境局长安分局 区环保局 主管部门
108 长安区市场监督管理局 - 主管部门
109 长安区民政局 - 主管部门
110 长安区交通运输局 - 主管部门
111 市市政设施养护中心 市政处；市政养护中心 主管部门
112 长安区应急管理局 - 主管部门
201 市水务集团供水有限公司 供水公司；自来水公司 企业
202 市排水运营有限公司 排水公司 企业
203 冀中电力长安供电分公司 供电公司；电力公司 企业
204 市城市照明有限公司 路灯公司；市路灯处 企业
205 燕赵燃气有限公司 燃气公司 企业
206 中冀热力集团有限公司 热力公司 企业
207 冀联通信长安分公司 通信公司 企业
208 长安广电网络有限公司 广电公司 企业
209 市公共交通总公司 公交公司 企业
210 青翠园林养护有限公司 青翠园林 企业
211 净美环卫服务有限公司 净美环卫；养护队 企业
212 路安市政养护有限公司 路安养护；养护队 企业
213 天目安防科技有限公司 - 企业
214 市政消防设施维护有限公司 - 企业
298 绿源园林工程有限公司 绿源园林 企业 210
299 市供热二公司 二热公司 企业 206
"""

COMPONENT_UNITS: dict[str, tuple[str, str, str]] = {
    "0101": ("101", "201", "201"),
    "0102": ("111", "202", "202"),
    "0103": ("111", "202", "212"),
    "0104": ("111", "202", "212"),
    "0105": ("101", "203", "203"),
    "0106": ("101", "204", "204"),
    "0107": ("101", "207", "207"),
    "0108": ("101", "208", "208"),
    "0110": ("102", "206", "206"),
    "0111": ("102", "205", "205"),
    "0113": ("112", "201", "214"),
    "0123": ("101", "", ""),
    "0127": ("101", "207", "207"),
    "0130": ("101", "203", "203"),
    "0137": ("101", "204", "204"),
    "0150": ("106", "106", "213"),
    "0201": ("106", "110", ""),
    "0204": ("110", "209", "209"),
    "0210": ("106", "106", "106"),
    "0212": ("109", "109", "212"),
    "0214": ("106", "106", "213"),
    "0217": ("106", "106", "212"),
    "0301": ("104", "104", "211"),
    "0305": ("104", "104", "211"),
    "0402": ("103", "103", "210"),
    "0405": ("103", "103", "210"),
    "0407": ("103", "103", "210"),
}
"""Class -> short codes of competent department, owner and maintainer, "" where there is none."""


@dataclass(frozen=True, kw_only=True)
class Directory:
    """The directory as a table, and names by code."""

    table: pd.DataFrame
    names: dict[str, str]
    aliases: dict[str, tuple[str, ...]]
    successors: dict[str, str]
    territories: dict[str, str]
    """Area code -> its territorial unit."""


def unit_code(short: str) -> str:
    """Return the ten-digit code of a unit.

    Examples
    --------
    >>> unit_code("204")
    '1301020204'
    """
    return f"{DISTRICT}0{short}"


def make_directory(areas: Areas) -> Directory:
    """Return the directory: departments, companies, and the territorial units of the areas.

    Every street has a territorial unit, of the communities two in three.
    """
    rows: list[tuple[str | None, ...]] = []
    for line in _UNITS.strip().splitlines():
        short, name, aliases, kind, *successor = line.split()
        rows.append(
            (
                unit_code(short),
                name,
                None if aliases == "-" else aliases,
                kind,
                None,
                unit_code(successor[0]) if successor else None,
                f"0311-8{int(short) * 7919 % 10**7:07d}",
            )
        )
    rows.append((unit_code("300"), "长安区人民政府", None, "属地", DISTRICT, None, "0311-86048000"))
    for number, street in enumerate(areas.streets, start=1):
        title = f"{street.name}办事处" if street.name.endswith("街道") else f"{street.name}人民政府"
        code = f"{DISTRICT}1{number:03d}"
        rows.append((code, title, None, "属地", street.code, None, None))
    for number, community in enumerate(areas.communities, start=1):
        if number % 3:
            suffix = "居民委员会" if community.name.endswith("社区") else "村民委员会"
            code = f"{DISTRICT}{4000 + number:04d}"
            title = areas.name(community.code[:9]) + community.name + suffix
            rows.append((code, title, None, "属地", community.code, None, None))
    table = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
    return Directory(
        table=table,
        names=dict(zip(table["单位代码"], table["单位名称"], strict=True)),
        aliases={
            row.单位代码: tuple(row.别名.split("；")) for row in table.itertuples() if row.别名
        },
        successors={
            row.单位代码: row.接替单位代码 for row in table.itertuples() if row.接替单位代码
        },
        territories={row.属地代码: row.单位代码 for row in table.itertuples() if row.属地代码},
    )
