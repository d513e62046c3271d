"""The cover of the atlas: title, a map of the whole, what it holds and what it was made from."""

import numpy as np
import shapely

from gridding.atlas.areas import fill_areas, outline_streets, polygons_of
from gridding.atlas.contents import (
    COVER,
    Contents,
)
from gridding.atlas.drawing import (
    GREY,
    Paper,
    Stroke,
    fitting_size,
    wrap,
)
from gridding.atlas.panels import (
    GRID_LINE,
    crs_words,
    frame_of,
)
from gridding.atlas.sheets import Frame, Layout

_THIN = Stroke(colour="#d81e1e", width=0.18)
_DATASETS = {"areas": "行政区域", "unit_grids": "单元网格", "topography": "基础地形"}


def draw_cover(paper: Paper, contents: Contents, layout: Layout) -> None:
    """Draw the cover: title, a map of the whole, what is in the atlas and what it was made from."""
    paper.start((layout.width, layout.height), name=COVER)
    records = contents.records
    middle, width = layout.width / 2, layout.width - 2 * layout.margin
    unit = layout.height / 297
    border = (6.0, 6.0, layout.width - 6, layout.height - 6)
    paper.box(border, stroke=Stroke(colour=GRID_LINE.colour, width=0.8))
    paper.box((8.0, 8.0, layout.width - 8, layout.height - 8), stroke=GRID_LINE)
    size = fitting_size(contents.title, 44 * unit, 0.9 * width, least=16)
    y = layout.height - 44 * unit
    for line in wrap(contents.title, size, 0.9 * width, most=2):
        paper.text((middle, y), line, size, align=0.5, bold=True)
        y -= size * 0.48
    day = f"资料日期 {records.day.isoformat()}"
    paper.text((middle, y - 2 * unit), day, 16 * unit, align=0.5, colour=GREY)
    bottom = 72 * unit
    lands = np.array([one.land for one in contents.communities])
    frame = frame_of(lands, (0.14 * layout.width, bottom, 0.86 * layout.width, y - 12 * unit))
    shapes = shapely.simplify(shapely.transform(lands, frame.on_paper), 0.05)
    fill_areas(paper, shapes, contents.fills)
    _cover_grids(paper, contents, frame)
    paper.polygons(polygons_of(shapes), stroke=_THIN)
    outline_streets(paper, contents, frame)
    _cover_facts(paper, contents, layout, top=bottom - 10 * unit)
    paper.finish()


def _cover_grids(paper: Paper, contents: Contents, frame: Frame) -> None:
    grids = contents.records.grids
    if len(grids) > 20_000:  # finer than print
        return
    shapes = shapely.simplify(shapely.transform(grids.geometry.to_numpy(), frame.on_paper), 0.05)
    paper.polygons(shapes, stroke=Stroke(colour=GRID_LINE.colour, width=0.07))


def _cover_facts(paper: Paper, contents: Contents, layout: Layout, *, top: float) -> None:
    records = contents.records
    area = float(records.grids["area_m2"].sum()) / 1e6
    builds = "；".join(
        f"{_DATASETS[row.dataset]} 第 {row.build_id} 次构建（{row.delivery}，{row.as_of}）"
        for row in records.builds.itertuples()
    )
    facts = [
        (
            "内　　容",
            f"街道 {len(records.streets)} 个，社区 {len(contents.communities)} 个，"
            f"单元网格 {len(records.grids)} 个，面积 {area:.2f} km²",
        ),
        ("坐标系统", crs_words(records.crs).removeprefix("坐标系 ")),
        ("数据版本", builds or "—"),
        ("数据校验", f"SHA-256 {records.digest}"),
        ("审 图 号", contents.approval or "＿＿＿＿＿＿＿＿＿＿＿＿"),
    ]
    if len(contents.kept) < len(contents.communities):
        facts[0] = (facts[0][0], f"{facts[0][1]}；本册含 {len(contents.kept)} 个社区")
    if contents.changes is not None:
        count = len(contents.changes.kind)
        words = f"自 {contents.since} 以来变更 {count} 个，撤销 {len(contents.changes.retired)} 个"
        facts.insert(1, ("网格变更", words))
    size = 10.5 if layout.paper == "A3" else 8.0
    left = 0.14 * layout.width
    step = size * 0.62
    for name, text in facts:
        paper.text((left, top), name, size, bold=True)
        for line in wrap(text, size, 0.86 * layout.width - left - 24, most=3):
            paper.text((left + 24, top), line, size)
            top -= step
