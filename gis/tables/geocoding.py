"""Schema ``geocoding``: basic places, each address split into its levels."""

from sqlalchemy import DOUBLE_PRECISION, Index, MetaData, Text

from gis.tables.columns import document, geometry, names, optional, required, versioned


def declare(metadata: MetaData, srid: int) -> None:
    """Declare the table of basic places 基本地点."""
    place = versioned(
        "place",
        metadata,
        "geocoding",
        required("code", Text, "identifier of the place"),
        required(
            "kind",
            Text,
            "area 区域, zone 地片, block 区片, street 街巷, plate 门(楼)牌, poi 兴趣点",
        ),
        required("name", Text, "standard name of this place alone"),
        names("aliases", "other names"),
        required("full_address", Text, "the levels joined"),
        optional("province", Text, "level 1"),
        optional("city", Text, "level 2"),
        optional("district", Text, "level 3, 区县"),
        optional("street", Text, "level 4, 街道/镇"),
        optional("community", Text, "level 5, 社区/村"),
        optional("road", Text, "level 6, street line 街巷"),
        optional("plate", Text, "level 7, 门牌, as in 12号"),
        optional("block", Text, "level 8, 小区 or 院落"),
        optional("building", Text, "level 9, 楼牌, as in 3号楼"),
        optional("poi", Text, "level 10, 兴趣点"),
        optional("orientation", Text, "orientation 方位 to the mark"),
        optional("supplement", Text, "supplement 补充说明"),
        optional("community_code", Text, "community that contains it, 12 digits"),
        optional("grid_code", Text, "unit grid of its representative point"),
        required(
            "source", Text, "addresses, members, topography, place_names, components or areas"
        ),
        geometry("GEOMETRY", srid, "point, line or polygon"),
        comment="geocoding database 地理编码",
    )
    # Added later, so that they stand last in databases that were made before.
    for column in (
        names("former_names", "those of the aliases that hold no more"),
        names(
            "short_names", "names made by rule from the standard name, as 二中; weaker than aliases"
        ),
        names("other_sources", "the same place in other databases, as source:code"),
        optional("category", Text, "what it is, in the deliverer's words"),
        optional(
            "accuracy_m",
            DOUBLE_PRECISION,
            "standard deviation of a derived position per axis, m; null: as usual for its kind",
        ),
        document(
            "as_delivered",
            "what joining other sources replaced in a delivered row: aliases, geometry",
        ),
    ):
        place.append_column(column)
    Index("ix_place_name", place.c.name)
