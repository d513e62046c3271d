"""Schema ``topography``: the base map by GB/T 13923 feature class."""

from sqlalchemy import Index, MetaData, Text

from gis.tables.columns import document, geometry, optional, required, versioned


def declare(metadata: MetaData, srid: int) -> None:
    """Declare the feature table."""
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
