"""Schema ``imagery``: the catalogue of orthophotos; pixels stay in files."""

from sqlalchemy import DOUBLE_PRECISION, Boolean, Date, Integer, MetaData, Text

from gis.tables.columns import document, geometry, optional, required, versioned


def declare(metadata: MetaData, srid: int) -> None:
    """Declare the orthophoto catalogue."""
    versioned(
        "orthophoto",
        metadata,
        "imagery",
        required("code", Text, "identifier of the image"),
        optional("name", Text, "title"),
        required("path", Text, "cloud optimised GeoTIFF, relative to the workspace"),
        required("gsd_m", DOUBLE_PRECISION, "ground sample distance, m"),
        required("width", Integer, "columns"),
        required("height", Integer, "rows"),
        required("bands", Integer, "bands"),
        required("dtype", Text, "sample type"),
        optional("acquired_on", Date, "day of acquisition"),
        required("model", Text, "rpc, rpc_gcp, affine: how pixels were placed"),
        required("height_source", Text, "DEM used for relief displacement 投影差改正, or none"),
        optional("height_datum", Text, "datum of those heights, as stated in the delivery"),
        optional("rmse_m", DOUBLE_PRECISION, "RMSE 中误差 at held-out check points, m"),
        optional("rmse_limit_m", DOUBLE_PRECISION, "limit for its map scale, m"),
        optional("check_points", Integer, "number of held-out check points"),
        optional("is_accepted", Boolean, "rmse_m within its limit; null: no check points"),
        document("report", "residuals per point, parameters, warnings"),
        geometry("MULTIPOLYGON", srid, "footprint of valid pixels"),
        comment="orthophotos 正射影像",
    )
