"""The synthetic district itself: what stands where."""

import re
from itertools import pairwise

import numpy as np
import pytest
import shapely

from gis.crs import transform_xy
from gis.errors import DeliveryError
from pipelines.sample.addresses import number_plates
from pipelines.sample.camera import Camera, fit_rpc
from pipelines.sample.components import place_components
from pipelines.sample.district import District, make_district
from pipelines.sample.plan import CRS
from pipelines.sample.roads import CARRIAGEWAY_M
from pipelines.sample.topography import elevation, topography_layers
from pipelines.sample.writing import write_sample


@pytest.fixture(scope="module", params=[(1.0, 7), (4.0, 1)], ids=["1km2", "4km2"])
def district(request) -> District:
    area_km2, seed = request.param
    return make_district(area_km2=area_km2, seed=seed)


def test_the_area_is_as_ordered(district):
    land = district.areas.district.land
    assert land.area / 1e6 == pytest.approx(district.plan.area_km2, rel=0.01)
    assert land.distance(shapely.Point(541_000, 4_214_000)) == 0


def test_communities_cover_the_district_without_gap_or_overlap(district):
    lands = [area.land for area in district.areas.communities]
    assert shapely.coverage_is_valid(lands)
    assert sum(land.area for land in lands) == pytest.approx(district.areas.district.land.area)
    assert shapely.coverage_is_valid([area.land for area in district.areas.streets])


def test_area_codes_have_their_digits_and_parents(district):
    communities = [area.code for area in district.areas.communities]
    streets = {area.code for area in district.areas.streets}
    assert len(set(communities)) == len(communities)
    assert all(re.fullmatch(r"130102\d{6}", code) and code[:9] in streets for code in communities)
    names = {area.name: area.code[9:] for area in district.areas.communities}
    assert all(("200" < end < "400") == name.endswith("村") for name, end in names.items())


def test_communities_number_from_the_north_west(district):
    for street in district.areas.streets:
        own = [
            a.land.centroid
            for a in district.areas.communities
            if a.code.startswith(street.code) and not a.name.endswith("村")
        ]
        for before, after in pairwise(own):
            assert after.x > before.x + 100 or after.y < before.y - 100


def test_buildings_stand_on_land_of_their_own(district):
    shapes = district.footprints
    assert shapely.is_valid(shapes).all()
    assert shapely.within(shapes, district.areas.district.land).all()
    tree = shapely.STRtree(shapes)
    first, second = tree.query(shapes, predicate="intersects")
    shared = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    assert shared[first < second].max(initial=0.0) < 0.5
    widths = np.array(CARRIAGEWAY_M)[district.network.ranks]
    surfaces = shapely.buffer(district.roads, widths / 2, cap_style="flat")
    road, building = tree.query(surfaces, predicate="intersects")
    assert shapely.area(shapely.intersection(surfaces[road], shapes[building])).max(initial=0) < 0.5


def test_paths_go_around_buildings(district):
    assert (
        len(shapely.STRtree(district.footprints).query(district.paths, predicate="intersects")[0])
        == 0
    )
    assert shapely.length(district.paths).sum() > 1000


def test_nothing_stands_in_water(district):
    river = district.plan.warp.geometries([district.plan.river])
    lakes = [i for i, patch in enumerate(district.fabric.patches) if patch.kind == "lake"]
    water = shapely.union_all([*river, *district.patches[lakes]])
    assert not shapely.intersects(district.footprints, water).any()


def test_buildings_of_a_compound_stand_inside_it_and_count_from_one(district):
    buildings = district.buildings
    inside = buildings.compounds >= 0
    walls = shapely.buffer(district.compounds[buildings.compounds[inside]], 0.8)
    assert shapely.within(district.footprints[inside], walls).all()
    for compound in np.unique(buildings.compounds[inside]):
        numbers = buildings.numbers[buildings.compounds == compound]
        assert len(numbers) == 1 or sorted(numbers)[0] == 1


def test_road_pieces_meet_at_the_very_same_point(district):
    ends = {tuple(xy) for s in district.segments for xy in (s.coords[0], s.coords[-1])}
    missing = [tuple(xy) for xy in district.junctions if tuple(xy) not in ends]
    assert len(missing) <= len(district.junctions) * 0.02


def test_plates_are_odd_on_the_left_and_even_on_the_right(district):
    gazetteer = number_plates(district)
    lines = district.roads[gazetteer.plate_road]
    points = shapely.points(gazetteer.plate_at)
    along = shapely.line_locate_point(lines, points)
    foot = shapely.get_coordinates(shapely.line_interpolate_point(lines, along))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(lines, along + 1))
    tangent, off = ahead - foot, gazetteer.plate_at - foot
    cross = tangent[:, 0] * off[:, 1] - tangent[:, 1] * off[:, 0]
    clear = np.abs(cross) > 1.0  # beyond a road's end there are no sides
    assert clear.mean() > 0.97
    assert ((cross > 0) == (gazetteer.plate_number % 2 == 1))[clear].all()
    for road in np.unique(gazetteer.plate_road):
        for parity in (0, 1):
            rows = (gazetteer.plate_road == road) & (gazetteer.plate_number % 2 == parity)
            order = np.argsort(gazetteer.plate_number[rows])
            assert (np.diff(along[rows][order]) > -4.0).all()  # bends shorten the inner side
    pairs = {*zip(gazetteer.plate_road, gazetteer.plate_number, strict=True)}
    assert len(pairs) == len(gazetteer.plate_road)


def test_components_are_where_they_belong(district):
    layers = {layer.class_code: layer for layer in place_components(district)}
    assert len(layers) >= 20
    total = sum(len(layer.at) for layer in layers.values())
    assert 800 < total / district.plan.area_km2 < 2200
    tree = shapely.STRtree(district.roads)
    for code, nearest, farthest in (("0137", 1.5, 18.5), ("0103", 0.5, 16.0)):
        points = shapely.points(layers[code].at)
        _, distance = tree.query_nearest(points, all_matches=False, return_distance=True)
        assert nearest < np.quantile(distance, 0.01)  # less only where roads meet at a sharp angle
        assert distance.max() < farthest
    covers = shapely.points(layers["0101"].at)
    assert len(shapely.STRtree(district.footprints).query(covers, predicate="within")[0]) == 0
    land = district.areas.district.land
    assert all(shapely.contains_xy(land, *layer.at.T).all() for layer in layers.values())


def test_topography_has_ten_character_fields_and_sheets(district):
    layers = topography_layers(district, number_plates(district))
    assert all(len(name) <= 10 for layer in layers.values() for name in layer.columns[:-1])
    codes = [code for layer in layers.values() for code in layer["OBJID"]]
    assert len(set(codes)) == len(codes)
    sheets = {sheet for layer in layers.values() for sheet in layer["TFH"]}
    assert all(re.fullmatch(r"42\d\d\.\d\d-5\d\d\.\d\d", sheet) for sheet in sheets)


def test_the_fitted_rpc_is_off_by_the_vendors_error_alone():
    camera = Camera(x=541_000, y=4_214_000, height_m=65.4, gsd_m=0.5, size=1400)
    rpc = fit_rpc(camera, heights_m=(20.0, 160.0))
    col, row, height = (
        v.ravel() for v in np.meshgrid([10.0, 700, 1390], [10.0, 700, 1390], [40, 90])
    )
    x, y = camera.ground(col, row, height)
    back = camera.project(x, y, height)
    assert np.abs(np.array(back) - [col, row]).max() < 1e-6
    lon, lat = transform_xy(x, y, source=CRS, target="EPSG:4490")
    found_col, found_row = rpc.project(lon, lat, height)
    assert np.abs(found_col - col - 3.6 - 1.5e-4 * (row - 699.5)).max() < 0.02
    assert np.abs(found_row - row + 2.8 + 1.1e-4 * (col - 699.5)).max() < 0.02


def test_the_terrain_is_high_enough_to_displace_pixels():
    x, y = np.meshgrid(np.linspace(540_500, 541_500, 50), np.linspace(4_213_500, 4_214_500, 50))
    heights = elevation(np.column_stack([x.ravel(), y.ravel()]))
    assert 70 < heights.mean() < 90
    assert heights.max() - heights.min() > 25


def test_a_larger_district_has_what_a_city_has():
    district = make_district(area_km2=12.0, seed=3)
    uses = {block.use for block in district.blocks}
    assert {"mall", "hospital", "school", "station", "square", "park", "field", "hutong"} <= uses
    assert not district.plan.river.is_empty
    assert not district.plan.railway.is_empty
    assert shapely.coverage_is_valid([area.land for area in district.areas.communities])


@pytest.mark.parametrize("area_km2", [0.2, 1001])
def test_an_area_out_of_range_is_refused(tmp_path, area_km2):
    with pytest.raises(DeliveryError, match="choose 1 to 1,000"):
        write_sample(tmp_path / "x", area_km2=area_km2)


def test_a_folder_with_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("x", encoding="utf-8")
    with pytest.raises(DeliveryError, match="not empty"):
        write_sample(tmp_path, area_km2=1)
