"""``/imagery``: tiles of the orthophotos, by rio-tiler; which files, only the catalogue says.

rio-tiler is loaded with the first tile: a worker that draws none starts faster without.
"""

import threading
from functools import lru_cache
from pathlib import Path as FilePath
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from api.http.answers import json_answer
from api.http.images import Image
from api.http.serving import serving_of
from gis.errors import NotFoundError

router = APIRouter(tags=["imagery 影像"])

TILE_SIZE = 256
MAX_ZOOM = 24
_CACHE = {"Cache-Control": "private, max-age=3600"}
"""Who asks may keep an image; a proxy may not, for it would hand it to those without a key."""
_LOADING = threading.Lock()
"""The modules of rio-tiler load each other: the threads of a page's first tiles would find them half loaded."""
_PNG: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A tile, transparent where there is no image",
        "content": {"image/png": {}},
    },
    404: {"description": "No such image or tile"},
}
Key = Annotated[str, Path(pattern=r"^[0-9A-Za-z_.-]{1,64}$")]


@router.get("/imagery", summary="Orthophotos")
def images(request: Request) -> Response:
    """Return the live orthophotos: code, title, bounds and the address of their tiles."""
    listed = [
        {
            "code": image.code,
            "name": image.name,
            "bounds": image.footprint.bounds,
            "acquired_on": image.acquired_on,
            "gsd_m": image.facts["gsd_m"],
            "tiles": f"{request.base_url}imagery/{image.code}/tiles/{{z}}/{{x}}/{{y}}.png",
        }
        for image in serving_of(request).images.all().values()
    ]
    return json_answer({"images": listed})


@router.get(
    "/imagery/{code}/tiles/{z}/{x}/{y}.png",
    response_class=Response,
    responses=_PNG,
    summary="A tile of an orthophoto",
)
def tile(
    request: Request,
    code: Key,
    z: Annotated[int, Path(ge=0, le=MAX_ZOOM)],
    x: Annotated[int, Path(ge=0)],
    y: Annotated[int, Path(ge=0)],
) -> Response:
    """Return a tile of 256 pixels in web mercator (EPSG:3857)."""
    if max(x, y) >= 1 << z:
        msg = f"There is no tile {z}/{x}/{y}."
        raise NotFoundError(msg, zh=f"没有瓦片 {z}/{x}/{y}。")
    image = serving_of(request).images.get(code)
    body = draw(image, x, y, z)
    return Response(body, media_type="image/png", headers=_CACHE)


@router.get(
    "/imagery/{code}/image.tif",
    response_class=FileResponse,
    responses={404: {"description": "No such image"}},
    summary="An orthophoto as a file",
)
def file(request: Request, code: Key) -> Response:
    """Return the cloud optimised GeoTIFF; ranges of it can be asked for."""
    image = serving_of(request).images.get(code)
    media_type = "image/tiff; application=geotiff"
    return FileResponse(image.path, media_type=media_type, headers=_CACHE)


def draw(image: Image, x: int, y: int, z: int) -> bytes:
    """Return a tile as PNG: three bands in colour, one in grey, no data transparent."""
    with _LOADING:
        from rio_tiler.errors import TileOutsideBounds
        from rio_tiler.io import Reader

    with Reader(str(image.path)) as reader:
        bands = (1, 2, 3) if image.facts["bands"] >= 3 else (1,)
        try:
            found = reader.tile(x, y, z, tilesize=TILE_SIZE, indexes=bands)
        except TileOutsideBounds:
            return _blank()
        if image.facts["dtype"] != "uint8":
            found.rescale(in_range=stretch(str(image.path), image.path.stat().st_mtime_ns, bands))
    rendered: bytes = found.render(img_format="PNG")
    return rendered


@lru_cache(maxsize=64)
def stretch(path: str, changed_ns: int, bands: tuple[int, ...]) -> tuple[tuple[float, float], ...]:
    """Return for each band the 2nd and 98th percentile, between which it is drawn."""
    from rio_tiler.io import Reader

    assert changed_ns >= 0
    assert FilePath(path).is_absolute()
    with Reader(path) as reader:
        preview = reader.preview(max_size=512, indexes=bands)
    limits = [
        np.percentile(band.compressed(), (2, 98)) if band.count() else (0.0, 1.0)
        for band in preview.array
    ]
    return tuple((float(low), float(max(high, low + 1e-9))) for low, high in limits)


@lru_cache(maxsize=1)
def _blank() -> bytes:
    from rio_tiler.models import ImageData

    size = (1, TILE_SIZE, TILE_SIZE)
    empty = np.ma.MaskedArray(np.zeros(size, dtype=np.uint8), mask=np.ones(size, dtype=bool))
    rendered: bytes = ImageData(empty).render(img_format="PNG")
    return rendered
