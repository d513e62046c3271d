"""Files of cases, written row by row, and what the database holds of them."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from gis.database import read_rows
from gis.workspace import Workspace
from pipelines.build import BuildOptions, build_delivery
from pipelines.cases import transform
from pipelines.reports import DatasetReport
from tests.pipelines.town import context, frame, write_manifest

HEADER = "案件编号,类型,类别代码,上报时间,来源,描述,地址,X,Y,坐标系,精度,部件编码,结案时间"
WITH_RETURNS = HEADER + ",退件次数,退件原因,退件单位,处置单位"
STEPS = "案件编号,操作,操作时间,操作单位,意见"
LAYER = {"dataset": "cases", "path": "cases.csv"}
MAY, JUNE = date(2026, 5, 31), date(2026, 6, 30)


def row(case_id, **more):
    base = {
        "case_id": case_id,
        "kind": "部件",
        "class_code": "0104",
        "reported_at": "2026-05-31 14:05:00",
        "x": "114.46",
        "y": "38.05",
        "crs": "GCJ-02",
    }
    return base | more


def judge(tmp_path, *rows):
    return transform(frame(rows, file="cases.csv"), context(tmp_path))


def line_of(case_id, time="2026-05-31 14:05:00", closed="", x="114.46"):
    return f"{case_id},部件,0104,{time},热线,坏了,,{x},38.05,GCJ-02,8,,{closed}"


def build_cases(
    folder: Path, files: Mapping[str, str | bytes], *, as_of: date, workspace: Workspace
) -> DatasetReport:
    """Build a delivery of case files, each a text or bytes, and return its report."""
    layers = [{"dataset": "cases", "path": name} for name in files]
    write_manifest(folder, layers, as_of=as_of)
    for name, text in files.items():
        raw = text if isinstance(text, bytes) else text.encode("utf-8")
        (folder / name).write_bytes(raw)
    (report,) = build_delivery(folder, workspace=workspace, options=BuildOptions(actor="t"))
    return report


def stored(database):
    with database.connect(read_only=True) as connection:
        rows = read_rows(connection, 'SELECT * FROM cases."case" ORDER BY case_id')
    return rows.set_index("case_id")


def history(database, case_id="1"):
    with database.connect(read_only=True) as connection:
        return connection.execute(
            "SELECT action, unit_code, category, reason, to_char(at, 'MM-DD HH24:MI'), build_id IS NULL"
            " FROM cases.history WHERE case_id = %s ORDER BY at, history_id",
            [case_id],
        ).fetchall()
