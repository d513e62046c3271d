"""A workspace with the district drawn by hand, and `wanmi` as its commands see it."""

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from typer.testing import CliRunner

from api.cli import register
from api.versions.cli import register as register_snapshot
from gis.command import make_app
from tests.api.district import PROFILE, X0, Y0, compile_district, component, place, point

CHINESE = ["案件编号", "类型", "类别代码", "X", "Y", "坐标系", "精度", "备注"]
ROWS = [
    ["0001", "部件", "0104", str(X0 + 50), str(Y0 + 50), "city", "1", "a,b"],
    ["0002", "事件", "0103", str(X0 + 150), str(Y0 + 150), "city", "1", '说"好"'],
    ["0003", "事件", "0103", "", "", "", "", "两\n行"],
]


def make_workspace(folder: Path) -> Path:
    """A component of W1 in grid A1 and a hospital in grid B2."""
    (folder / "wanmi.toml").write_text(PROFILE, encoding="utf-8")
    compile_district(
        folder / "snapshots",
        components=[component("1301020104000001", point(50, 50), maintainer_code="W1")],
        places=[place("h", "poi", "人民医院", point(150, 150))],
    )
    return folder


def run(workspace: Path, *arguments: str) -> str:
    app = make_app()
    register(app)
    register_snapshot(app)
    result = CliRunner().invoke(app, ["-w", str(workspace), *arguments])
    if result.exception:
        raise result.exception
    return result.stdout


def numbered(table: pa.Table, begun: datetime) -> pa.Table:
    """Answers that a test can foretell: twice the number of the case, and the reasons' columns."""
    if "case_id" in table.column_names:
        numbers = pc.cast(table["case_id"], pa.int64())
    else:
        numbers = pa.nulls(table.num_rows, pa.int64())
    return pa.table(
        {
            "twice": pc.multiply(numbers, 2),
            "reasons": pa.array([""] * table.num_rows, pa.string()),
            "needs_review": pa.array([False] * table.num_rows),
        }
    )
