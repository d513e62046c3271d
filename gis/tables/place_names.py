"""Schema ``place_names``: standard names with romanisation, category, history and place."""

from sqlalchemy import DOUBLE_PRECISION, MetaData, Text

from gis.tables.columns import geometry, names, optional, required, versioned


def declare(metadata: MetaData, srid: int) -> None:
    """Declare the place name table."""
    place_name = versioned(
        "place_name",
        metadata,
        "place_names",
        required("code", Text, "identifier of the place"),
        required("name", Text, "standard name 标准地名"),
        required("pinyin", Text, "romanisation 汉语拼音 by the place-name spelling rules"),
        optional("category_code", Text, "category (GB/T 18521)"),
        names("aliases", "names also in use"),
        names("former_names", "names once in use 曾用名"),
        optional("area_code", Text, "smallest area that contains it"),
        optional("grid_code", Text, "unit grid of its representative point"),
        required(
            "lon", DOUBLE_PRECISION, "longitude of the representative point, CGCS2000, degrees"
        ),
        required(
            "lat", DOUBLE_PRECISION, "latitude of the representative point, CGCS2000, degrees"
        ),
        geometry("GEOMETRY", srid, "point, line or polygon"),
        comment="place names 地名",
    )
    # Added later, so that they stand last in databases that were made before.
    for column in (
        optional(
            "category_source", Text, "delivered, or derived from the generic part and geometry"
        ),
        optional("meaning", Text, "what the name means 地名含义"),
        optional("origin", Text, "where the name comes from 地名来历"),
        optional(
            "source",
            Text,
            "table, labels (a layer of labels 注记), or map (annotations of the topography)",
        ),
        optional("feature_code", Text, "map feature that the name stands at"),
        names(
            "former_spans",
            "when each former name held, in their order: 1958/1982, ..1966; empty text: not known",
        ),
        names("area_codes", "smallest areas that a line or polygon crosses, all of them, sorted"),
    ):
        place_name.append_column(column)
