"""A workspace and a delivery of Tainan's utility lines: 19,750 segments of nine trades, as published.

By hand, from the root of the project::

    python -m tests.real.tainan_pipelines OUT_DIR
    cd OUT_DIR && wanmi db migrate && wanmi census check delivery -o report.html

The class stands in the name of each file and nowhere else (``pipeline_8040201``); the national tables
have no underground pipes, so each trade is an extension class 扩展类. The only attribute that says
whose a line is, 管理單位, holds what people call the unit, so the directory knows these as aliases.
"""

import shutil
import sys
from pathlib import Path

import openpyxl

from gis.vector import write_vector
from tests.real import tainan

SOURCE = tainan.SOURCE

TRADES: dict[str, tuple[str, str]] = {
    "8010301": ("0199", "警讯管线"),
    "8010401": ("0198", "有线电视管线"),
    "8010501": ("0197", "交通信号管线"),
    "8020201": ("0196", "路灯管线"),
    "8020401": ("0195", "输电管线"),
    "8040201": ("0194", "污水管线"),
    "8060101": ("0193", "灌溉管线"),
    "8070101": ("0192", "输油管线"),
    "8080101": ("0191", "共同管道"),
}
"""Number in the file's name -> extension class of GB/T 30428.2-2013 and its name."""

UNITS = (
    ("U01", "臺南市政府警察局", "主管部门", "台南市政府警察局；警訊"),
    ("U02", "三冠王有線電視股份有限公司", "企业", "三冠王"),
    ("U03", "新永安有線電視股份有限公司", "企业", "新永安"),
    ("U04", "臺南市政府交通局", "主管部门", "台南市政府交通局"),
    ("U05", "臺南市政府工務局公園管理科", "主管部门", "路燈"),
    ("U06", "台灣電力公司台南供電區營運處", "企业", "台南輸電"),
    ("U07", "臺南市政府水利局污水下水道工程科", "主管部门", "汙水下水道"),
    ("U08", "農田水利會", "企业", ""),
)
"""Code, name, kind, and the names by which the files call it; two units of the files are not in it."""

_CLASS = """
[[extension_class]]
kind = "component"
code = "{code}"
name = "{name}"
accuracy = "B"
geometry = "line"
"""

_HEAD = """\
[delivery]
name = "tainan-pipelines"
as_of = 2018-12-31

[[layer]]
dataset = "areas"
path = "areas.gpkg"

[[layer]]
dataset = "unit_grids"
path = "grids.gpkg"

[[layer]]
dataset = "units"
path = "units.xlsx"
"""

_LAYER = """
[[layer]]
dataset = "components"
path = "{path}"
class_code = "{code}"
[layer.fields]
maintainer_name = "管理單位"
"""


def write_workspace(folder: Path) -> Path:
    """Write ``wanmi.toml`` and the delivery into `folder`; return the delivery's folder."""
    delivery = folder / "delivery"
    delivery.mkdir(parents=True, exist_ok=True)
    (folder / "wanmi.toml").write_text(profile(), encoding="utf-8")
    layers = [_HEAD]
    for number, (code, _) in TRADES.items():
        path = f"pipeline_{number}.geojson.gz"
        shutil.copyfile(SOURCE / path, delivery / path)
        layers.append(_LAYER.format(path=path, code=code))
    (delivery / "delivery.toml").write_text("".join(layers), encoding="utf-8")
    villages = tainan.read_villages()
    write_vector(tainan.areas_of(villages), delivery / "areas.gpkg")
    write_vector(tainan.grids_of(villages), delivery / "grids.gpkg")
    _write_units(delivery / "units.xlsx")
    return delivery


def profile() -> str:
    """Return the city's profile with its extension classes."""
    classes = [_CLASS.format(code=code, name=name) for code, name in TRADES.values()]
    return "".join([tainan.PROFILE, *classes])


def _write_units(path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["单位代码", "单位名称", "类型", "别名"])
    for unit in UNITS:
        book.active.append(unit)
    book.save(path)


if __name__ == "__main__":
    sys.stdout.write(f"{write_workspace(Path(sys.argv[1]))}\n")
