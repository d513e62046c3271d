"""``/stac``: the orthophotos as a STAC catalogue, accuracy and lineage in every item."""

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import shapely
from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from api.http.answers import GEOJSON, geojson_of, json_answer
from api.http.images import Image
from api.http.serving import serving_of

if TYPE_CHECKING:
    import pystac

router = APIRouter(tags=["imagery 影像"])

CATALOGUE = "orthophotos"
_LINEAGE = (
    "model",
    "height_source",
    "height_datum",
    "rmse_m",
    "rmse_limit_m",
    "check_points",
    "is_accepted",
    "build_id",
)
Key = Annotated[str, Path(pattern=r"^[0-9A-Za-z_.-]{1,64}$")]


@router.get("/stac", summary="STAC catalogue")
@router.get("/stac/catalog.json", include_in_schema=False)
def catalogue(request: Request) -> Response:
    """Return the catalogue with a link to every live orthophoto."""
    import pystac

    base = str(request.base_url)
    city = serving_of(request).options.workspace.profile.city
    found = pystac.Catalog(
        id=CATALOGUE,
        title="Orthophotos 正射影像",
        description=f"Live orthophotos of {city.name or city.code}, rectified on their DEM.",
        href=f"{base}stac",
    )
    document = found.to_dict(include_self_link=True)
    document["links"] = [
        {"rel": "root", "href": f"{base}stac", "type": "application/json"},
        {"rel": "self", "href": f"{base}stac", "type": "application/json"},
        *(
            {
                "rel": "item",
                "href": f"{base}stac/items/{image.code}",
                "type": GEOJSON,
                "title": image.name,
            }
            for image in serving_of(request).images.all().values()
        ),
    ]
    return json_answer(document)


@router.get(
    "/stac/items/{code}",
    response_class=Response,
    responses={200: {"content": {GEOJSON: {}}}, 404: {"description": "No such image"}},
    summary="STAC item",
)
def item(request: Request, code: Key) -> Response:
    """Return one orthophoto: footprint, day, resolution, accuracy, files."""
    image = serving_of(request).images.get(code)
    srid = serving_of(request).crs.srid
    found = make_item(image, base=str(request.base_url), srid=srid)
    return json_answer(
        found.to_dict(include_self_link=False, transform_hrefs=False), media_type=GEOJSON
    )


def make_item(image: Image, *, base: str, srid: int) -> "pystac.Item":
    """Return the STAC item of an orthophoto.

    Parameters
    ----------
    image : Image
        The orthophoto.
    base : str
        Address of this server, ending in a slash.
    srid : int
        EPSG code of the image's CRS; 910000 and up are local systems without one.
    """
    import pystac

    day = image.acquired_on or image.valid_from
    properties: dict[str, Any] = {
        "title": image.name,
        "gsd": image.facts["gsd_m"],
        "proj:code": f"EPSG:{srid}" if srid < 910_000 else None,
        "proj:shape": [image.facts["height"], image.facts["width"]],
        **{f"wanmi:{name}": image.facts[name] for name in _LINEAGE},
    }
    found = pystac.Item(
        id=image.code,
        geometry=geojson_of(image.footprint),
        bbox=list(shapely.bounds(image.footprint).tolist()),
        datetime=datetime.combine(day, time(), tzinfo=UTC),
        properties=orjson.loads(orjson.dumps(properties, default=str)),
    )
    found.add_link(pystac.Link(rel="root", target=f"{base}stac", media_type="application/json"))
    found.add_link(pystac.Link(rel="parent", target=f"{base}stac", media_type="application/json"))
    found.add_asset(
        "image",
        pystac.Asset(
            href=f"{base}imagery/{image.code}/image.tif",
            media_type=pystac.MediaType.COG,
            roles=["data"],
        ),
    )
    found.add_asset(
        "tiles",
        pystac.Asset(
            href=f"{base}imagery/{image.code}/tiles/{{z}}/{{x}}/{{y}}.png",
            media_type=pystac.MediaType.PNG,
            roles=["visual"],
        ),
    )
    return found
