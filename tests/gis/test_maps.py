"""Maps name nothing outside the page."""

import re
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from gis.errors import WorkspaceError
from gis.maps import hotspot_map, offline_map


def test_the_page_loads_nothing_from_outside() -> None:
    cells = gpd.GeoDataFrame(
        {"code": ["130102001001001"], "value": [7], "z": [3.21], "p": [0.0002], "verdict": ["hot"]},
        geometry=[shapely.box(541000, 4214000, 541100, 4214100)],
        crs=4547,
    )
    html = hotspot_map(cells).get_root().render()
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[^>]*//[^>]+>", html)
    assert "url(http" not in html
    assert "130102001001001" in html
    assert "热点" in html


def test_missing_libraries_are_named(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="make demo"):
        offline_map(bounds=(114.0, 38.0, 114.1, 38.1), libraries=tmp_path)
