"""Patches: what changed inside an extent is replaced, and nothing else."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.topography.patching import Patch, Patched, apply
from tests.pipelines.town import CRS, at, line, rectangle

EXTENT = rectangle(100, 0, 200, 100)


def feature(code, shape, kind="310300", *, name=None, **attributes):
    return (code, kind, name, attributes, shape)


def frame(*features, sheet=None) -> gpd.GeoDataFrame:
    rows = pd.DataFrame(
        [
            {
                "code": code,
                "feature_class": kind,
                "theme": "residential",
                "name": name,
                "sheet": sheet,
                "attributes": attributes,
                "source_file": "a.shp",
                "source_row": number,
            }
            for number, (code, kind, name, attributes, _) in enumerate(features, 1)
        ],
        columns=[
            *("code", "feature_class", "theme", "name", "sheet", "attributes"),
            *("source_file", "source_row"),
        ],
    )
    shapes = gpd.GeoSeries([shape for *_, shape in features], crs=CRS)
    return gpd.GeoDataFrame(rows, geometry=shapes, crs=CRS)


def patch(live, delivered, *, extent=EXTENT, classes=("31", "43", "82"), **more) -> Patched:
    options = Patch(extent=extent, classes=classes, tolerance_m=0.15, same_m=0.05, **more)
    return apply(frame(*live), frame(*delivered), options)


def after(live, patched: Patched) -> dict[str, shapely.Geometry]:
    """What is live once it is published: code -> geometry."""
    rows = {code: shape for code, *_, shape in live}
    for code in patched.ends:
        del rows[code]
    return rows | dict(zip(patched.rows["code"], patched.rows.geometry, strict=True))


IN = feature("in", rectangle(120, 20, 140, 40), floors=6.0)
OUT = feature("out", rectangle(20, 20, 40, 40), floors=6.0)


def test_a_feature_not_delivered_ends_inside_and_stays_outside():
    patched = patch([IN, OUT], [])
    assert patched.ends == ("in",)
    assert len(patched.rows) == 0


def test_only_the_classes_of_the_patch_end():
    assert patch([IN], [], classes=("43",)).ends == ()


def test_rounded_coordinates_and_other_vertices_are_no_change():
    west, east, south, north = 540120, 540140, 4214020, 4214040
    middle = (east, 4214030.004)
    corners = [(east + 0.01, south), middle, (east, north), (west, north - 0.01), (west, south)]
    rounded = shapely.Polygon(corners)
    patched = patch([IN], [feature("other-id", rounded, floors=6)])
    assert patched.ends == ()
    assert patched.rows["code"].tolist() == ["in"]
    assert patched.rows.geometry.iloc[0].wkt == IN[4].wkt


def test_moved_reshaped_and_renamed_features_keep_their_code():
    moved = feature("in", rectangle(121, 20, 141, 40), floors=6.0)
    patched = patch([IN], [moved])
    assert after([IN], patched)["in"].equals(moved[4])
    renamed = patch([IN], [feature("in", IN[4], name="综合楼", floors=6.0)])
    assert renamed.rows["name"].tolist() == ["综合楼"]
    # Another identifier, but the same place: more than half of the ground in common.
    again = patch([IN], [feature("new-id", rectangle(120, 20, 142, 40), floors=6.0)])
    assert (again.rows["code"].tolist(), again.ends) == (["in"], ())
    # Less than half: another building.
    other = patch([IN], [feature("new-id", rectangle(135, 20, 160, 40), floors=6.0)])
    assert (other.rows["code"].tolist(), other.ends) == (["new-id"], ("in",))


def test_what_is_delivered_outside_is_not_used_unless_it_is_live_so():
    patched = patch(
        [IN, OUT],
        [IN, feature("far", rectangle(300, 20, 320, 40)), OUT, feature("b", at(20, 20), "110102")],
    )
    assert patched.outside.tolist() == [False, True, False, False]
    assert patched.other_class.tolist() == [False, False, False, True]
    assert after([IN, OUT], patched).keys() == {"in", "out"}


def test_rows_are_told_apart_though_files_and_numbers_agree():
    # All rows come from a.shp; live and delivered ones bear the same numbers.
    road = feature("r", line((20, 50), (180, 50)), "430501", name="裕华路")
    new = feature("n", rectangle(150, 60, 160, 70))
    patched = patch([road, IN], [new, IN])
    told = dict(zip(patched.rows["code"], patched.named_by.tolist(), strict=True))
    assert told == {"n": 0, "in": -1, "r": -1}  # `in` is unchanged, of `r` the part outside stays


def test_a_road_over_the_border_keeps_its_part_outside():
    road = feature("r", line((20, 50), (180, 50)), "430501", name="裕华路")
    # Inside it was moved a little and widened; outside it stays, and both meet at the border.
    new = feature("x", line((100, 50.1), (180, 52)), "430501", name="裕华路", width_m=30.0)
    patched = patch([road], [new])
    assert patched.ends == ()
    (row,) = patched.rows.to_dict("records")
    assert row["code"] == "r"
    assert row["attributes"] == {"width_m": 30.0}
    assert row["geometry"].wkt == line((20, 50), (100, 50.1), (180, 52)).wkt
    assert patched.edges.empty


def test_a_road_no_longer_there_inside_is_cut_at_the_border():
    road = feature("r", line((20, 50), (180, 50)), "430501")
    patched = patch([road], [])
    assert patched.ends == ()
    assert after([road], patched)["r"].wkt == line((20, 50), (100, 50)).wkt
    assert patched.edges["rule"].tolist() == ["TP84"]


def test_a_road_through_the_whole_patch_that_is_gone_leaves_two_parts():
    road = feature("r", line((20, 50), (280, 50)), "430501")
    patched = patch([road], [])
    shape = after([road], patched)["r"]
    assert shape.geom_type == "MultiLineString"
    assert shape.length == pytest.approx(160)


def test_a_new_road_that_goes_on_outside_becomes_the_road_it_meets():
    outside = feature("old", line((20, 50), (100, 50)), "430501", name="裕华路")
    new = feature("new", line((100, 50), (180, 60)), "430501")
    patched = patch([outside], [new])
    assert patched.rows["code"].tolist() == ["old"]
    assert patched.rows["name"].tolist() == ["裕华路"]
    assert after([outside], patched)["old"].length == pytest.approx(80 + (80**2 + 10**2) ** 0.5)


def test_a_new_road_that_joins_two_live_ones_has_the_smaller_code():
    west = feature("a", line((20, 50), (100, 50)), "430501")
    east = feature("b", line((200, 50), (280, 50)), "430501")
    new = feature("c", line((100, 50), (200, 50)), "430501")
    patched = patch([west, east], [new])
    assert (patched.rows["code"].tolist(), patched.ends) == (["a"], ("b",))
    assert patched.rows.geometry.iloc[0].length == pytest.approx(260)


def test_a_delivered_feature_is_cut_where_nothing_is_live_outside():
    new = feature("n", line((50, 50), (180, 50)), "430501")
    patched = patch([], [new])
    assert patched.rows.geometry.iloc[0].wkt == line((100, 50), (180, 50)).wkt
    assert patched.cut_m.tolist() == [50.0]
    # If the same goes on outside, nothing was lost.
    road = feature("n", line((20, 50), (150, 50)), "430501")
    again = patch([road], [new])
    assert again.cut_m.tolist() == [0.0]
    assert again.rows.geometry.iloc[0].length == pytest.approx(160)


def test_a_building_over_the_border_is_whole_again():
    house = feature("h", rectangle(90, 20, 120, 40))
    bigger = feature("h", rectangle(90, 20, 125, 40))
    patched = patch([house], [bigger])
    assert after([house], patched)["h"].equals(bigger[4])
    assert patch([house], [house]).rows.geometry.iloc[0].wkt == house[4].wkt


def test_an_area_around_the_patch_is_untouched_when_it_is_delivered_again():
    green = feature("g", rectangle(0, -50, 300, 150), "820000")
    again = feature("g2", EXTENT, "820000")
    patched = patch([green], [again])
    assert patched.ends == ()
    assert after([green], patched)["g"].wkt == green[4].wkt
    hole = patch([green], [])
    assert after([green], hole)["g"].area == pytest.approx(300 * 200 - 100 * 100)


def test_an_identifier_used_outside_is_given_anew():
    taken = feature("in", rectangle(120, 60, 130, 70))
    live = [feature("in", rectangle(20, 60, 30, 70))]
    patched = patch(live, [taken])
    (code,) = patched.rows["code"]
    assert code.startswith("T")
    assert patched.given.tolist() == [code]
    # and the same patch again finds it there
    now = [*live, feature(code, taken[4])]
    assert patch(now, [taken]).rows["code"].tolist() == [code]


def test_identifiers_numbered_by_sheet_prove_nothing_by_themselves():
    elsewhere = feature("in", rectangle(160, 60, 180, 80), floors=6.0)
    assert patch([IN], [elsewhere]).rows["code"].tolist() == ["in"]
    local = patch([IN], [elsewhere], are_local=True)
    assert local.ends == ("in",)


def test_a_piece_on_one_sheet_is_known_by_the_identifier_it_had_there():
    road = feature("a", line((20, 50), (180, 50)), "430501", pieces={"west": ["a"], "east": ["b"]})
    delivered = feature("b", line((100, 50), (180, 55)), "430501")
    live, rows = frame(road, sheet="west;east"), frame(delivered, sheet="east")
    options = Patch(extent=EXTENT, classes=("43",), tolerance_m=0.15, same_m=0.05)
    (row,) = apply(live, rows, options).rows.to_dict("records")
    assert row["code"] == "a"
    assert row["sheet"] == "east;west"
    assert row["attributes"] == {"pieces": {"east": ["b"], "west": ["a"]}}


def random_town(seed, count=12):
    random = __import__("numpy").random.default_rng(seed)
    features = []
    for number in range(count):
        x, y = random.uniform(20, 280), random.uniform(-60, 160)
        if number % 3:
            shape = rectangle(x, y, x + random.uniform(5, 30), y + random.uniform(5, 30))
            kind = f"31{number:04d}"
        else:
            shape = line((x, y), *random.uniform([0, -80], [300, 180], (2, 2)).tolist())
            kind = f"43{number:04d}"
        features.append(feature(f"c{number:02d}", shape, kind))
    return features


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_the_same_patch_twice_changes_nothing(seed):
    live, delivered = random_town(seed), random_town(seed + 1)[:8]
    options = Patch(extent=EXTENT, classes=("31", "43"), tolerance_m=0.15, same_m=0.05)
    once = apply(frame(*live), frame(*delivered), options)
    now = after(live, once)
    kinds = {code: kind for code, kind, *_ in live} | dict(
        zip(once.rows["code"], once.rows["feature_class"], strict=True)
    )
    state = [feature(code, shape, kinds[code]) for code, shape in sorted(now.items())]
    twice = apply(frame(*state), frame(*delivered), options)
    assert twice.ends == ()
    again = after(state, twice)
    assert again.keys() == now.keys()
    assert all(again[code].equals_exact(now[code], 1e-6) for code in now)


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_outside_nothing_changes_and_inside_is_what_was_delivered(seed):
    live, delivered = random_town(seed), random_town(seed + 1)[:8]
    patched = patch(live, delivered, classes=("31", "43"))
    now = after(live, patched)
    beyond = rectangle(-1000, -1000, 1000, 1000).difference(EXTENT.buffer(0.5))
    inside = EXTENT.buffer(-0.5)

    def drawn(shapes, ground):
        return shapely.union_all([shapely.intersection(shape, ground) for shape in shapes])

    before = [shape for *_, shape in live]
    brought = [shape for *_, shape in delivered]
    for one, other, ground in ((now.values(), before, beyond), (now.values(), brought, inside)):
        mine, theirs = drawn(one, ground), drawn(other, ground)
        assert mine.length + mine.area == pytest.approx(theirs.length + theirs.area, abs=3.0)
