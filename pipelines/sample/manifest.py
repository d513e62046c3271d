"""The ``delivery.toml`` of the sample, as a careful contractor writes it."""

from pathlib import Path

from pipelines.sample.plan import CRS

_HEAD = """# 石家庄市长安区数字城管基础数据普查成果（示例，全部为虚构）
# 坐标系：CGCS2000 三度带，中央子午线 114°；高程：1985 国家高程基准（DEM 与控制点为大地高）

[delivery]
name = "2025-changan-census"
as_of = 2025-12-31
"""
_Entry = tuple[str, str, str, dict[str, str]]
_FIXED: tuple[_Entry, ...] = (
    ("行政区划：区县、街道、社区", "areas", "02行政区划/*.shp", {}),
    ("1:500 基础地形，分图层，GBK 编码，无 .cpg；围墙图层缺 .prj", "topography", "01基础地形/*.shp",
     {"crs": CRS}),
    ("标准地名", "place_names", "03地名/标准地名.csv", {"x_field": "X", "y_field": "Y", "crs": CRS}),
    ("单位名录", "units", "06责任/单位与职责.xlsx", {"sheet": "单位"}),
    ("管理网格（责任网格）：环卫、园林、执法", "management_grids", "06责任/行业与评价网格.xlsx",
     {"sheet": "管理网格"}),
    ("评价网格", "evaluation_grids", "06责任/行业与评价网格.xlsx", {"sheet": "评价网格"}),
    ("职责分解方案", "responsibility", "06责任/单位与职责.xlsx", {"sheet": "职责"}),
    ("地址：门牌、楼牌、小区、街巷、兴趣点", "addresses", "04地理编码/门楼牌与兴趣点.xlsx",
     {"sheet": "地址", "x_field": "X", "y_field": "Y", "crs": CRS}),
    ("商户，地图服务导出：地址为一段文字，无编号、无类型", "addresses", "04地理编码/商户.csv",
     {"x_field": "lon", "y_field": "lat", "crs": "EPSG:4490"}),
)  # fmt: skip
_MIXED: _Entry = (
    "补测部件，多类混合，小类见 FLDM", "components", "05部件/补测部件.shp", {"class_field": "FLDM"},
)  # fmt: skip
_AGAIN: _Entry = (
    "复测部件，分包队伍，多类混合，小类见 FLDM", "components", "05部件/复测部件.shp", {"class_field": "FLDM"},
)  # fmt: skip
_CASES: _Entry = (
    "2025 年案件，坐标按上报原样，坐标系逐行注明",
    "cases",
    "08案件/2025年案件.csv",
    {},
)


def write_manifest(folder: Path, *, layers: list[str], imagery: bool) -> None:
    """Write the manifest naming every file of the delivery."""
    entries: list[_Entry] = list(_FIXED)
    for name in layers:
        more = {"class_code": name[:4]}
        if name.startswith("0305"):
            more["crs"] = CRS
        entries.append((f"部件 {name[:4]}", "components", f"05部件/{name}.shp", more))
    entries += [_MIXED, _AGAIN, _CASES]
    parts = [_HEAD, *(_layer(entry) for entry in entries), _LABELS]
    if imagery:
        parts.append(_IMAGERY)
    (folder / "delivery.toml").write_text("\n".join(parts), encoding="utf-8")


def _layer(entry: _Entry) -> str:
    comment, dataset, path, more = entry
    lines = [f"# {comment}", "[[layer]]", f'dataset = "{dataset}"', f'path = "{path}"']
    lines += [f'{key} = "{value}"' for key, value in more.items()]
    return "\n".join(lines) + "\n"


_LABELS = """# 地图注记：逐字沿路、分行标注，含高程与建筑材料
[[layer]]
dataset = "place_names"
path = "03地名/注记.shp"

[layer.options]
annotation = true
"""
_IMAGERY = """# 原始卫星影像（模拟推扫式），RPC 在文件标签中；DEM 与控制点为大地高
[[layer]]
dataset = "imagery"
path = "07影像/raw.tif"

[layer.options]
code = "changan-2025-a"
gcps = "07影像/gcps.csv"
dem = "07影像/dem.tif"
height_datum = "ellipsoid"
acquired_on = 2025-05-18
sensor = "模拟推扫"
scale = 5000
resolution_m = 0.5
"""
