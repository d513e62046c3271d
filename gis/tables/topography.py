"""Schema ``topography``: the base map by GB/T 13923 feature class."""

from sqlalchemy import DOUBLE_PRECISION, Date, Index, Integer, MetaData, Text

from gis.tables.columns import document, geometry, optional, required, versioned


def declare(metadata: MetaData, srid: int) -> None:
    """Declare features, the sheets they came on, and the faults at the edges of sheets."""
    feature = versioned(
        "feature",
        metadata,
        "topography",
        required("code", Text, "feature identifier, unique in the city"),
        required("feature_class", Text, "six-digit class (GB/T 13923)"),
        required(
            "theme",
            Text,
            "control, hydrography, residential, transport, pipeline, boundary, relief, vegetation",
        ),
        optional("name", Text, "name on the map"),
        optional("sheet", Text, "sheet 分幅 it was delivered on"),
        document("attributes", "other delivered attributes: width_m, floors, surface, elevation_m"),
        geometry("GEOMETRY", srid, "point, line or polygon, 2D"),
        comment="base topography 基础地理信息",
    )
    Index("ix_feature_theme", feature.c.theme, feature.c.feature_class)
    sheet = versioned(
        "sheet",
        metadata,
        "topography",
        required("code", Text, "scale and number, as 500:4214.25-541.00, or the number alone"),
        required("number", Text, "sheet number 图幅号 as delivered"),
        optional("scale", Integer, "denominator of the scale 比例尺: 500, 1000, 2000"),
        required("extent_from", Text, "where the extent is from: index, number, features"),
        optional("surveyed_on", Date, "day of the survey 测图日期"),
        optional("contractor", Text, "who surveyed it 作业单位"),
        required("delivery", Text, "delivery it came in"),
        required("features", Integer, "features delivered on it, before pieces were joined"),
        required("digest", Text, "hash of these features; equal digest: the same sheet again"),
        geometry("POLYGON", srid, "extent 图廓"),
        comment="sheets 图幅 of the base topography, version by version",
    )
    Index("ix_sheet_number", sheet.c.number)
    fault = versioned(
        "edge_fault",
        metadata,
        "topography",
        required("code", Text, "hash of rule, sheets and position"),
        required("rule", Text, "rule, see pipelines/topography/rules/sheets.csv"),
        required("grade", Text, "error: the features were left apart; warning: joined with doubt"),
        required("sheet", Text, "sheet of the feature"),
        optional("other_sheet", Text, "sheet across the edge"),
        required("feature_code", Text, "feature"),
        optional("other_code", Text, "feature across the edge"),
        optional("gap_m", DOUBLE_PRECISION, "distance of the two ends, m"),
        required("reason_en", Text, "what is wrong"),
        required("reason_zh", Text, "the same in Chinese"),
        geometry("POINT", srid, "where"),
        comment="faults of edge matching 接边",
    )
    Index("ix_edge_fault_sheet", fault.c.sheet)
