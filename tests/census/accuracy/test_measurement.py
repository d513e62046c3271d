import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, box

from census.accuracy.coordinates import Reading, check_reading, read_points
from census.accuracy.form import Fieldwork
from census.accuracy.judgement import as_document, assess
from census.accuracy.measurement import pair_up
from census.accuracy.statistics import Limits
from gis.crs import transform_xy
from gis.errors import CrsError

CRS = "EPSG:4547"
EAST, NORTH = 540_000.0, 4_214_000.0


def sample(count=30, *, accuracy="A", limit_m=0.5, outline=None):
    rows = pd.DataFrame(
        {
            "code": [f"c{number:03d}" for number in range(count)],
            "class_code": "0104",
            "class_name": "雨水箅子",
            "accuracy": accuracy,
            "limit_m": limit_m,
            "x": EAST + 10.0 * np.arange(count),
            "y": NORTH,
        }
    )
    rows["outline"] = pd.Series([outline] * count, dtype=object)
    return rows


def form(*rows: dict[str, object]) -> Fieldwork:
    table = pd.DataFrame(list(rows))
    for name in (
        "code",
        "class_code",
        "measured_x",
        "measured_y",
        "device_m",
        "not_found",
        "extra",
    ):
        if name not in table:
            table[name] = None
    table["source_row"] = range(2, len(table) + 2)
    if "in_city_crs" not in table:
        table["in_city_crs"] = False
    return Fieldwork(rows=table, sample_id="s")


def at(number: int, dx: float = 0.0, dy: float = 0.0, **more: object) -> dict[str, object]:
    x, y = EAST + 10.0 * number + dx, NORTH + dy
    return {"code": f"c{number:03d}", "measured_x": str(x), "measured_y": str(y)} | more


def pair(fieldwork, drawn=None, *, reading=None, **limits):
    return pair_up(
        fieldwork,
        sample() if drawn is None else drawn,
        reading=reading or Reading(crs=CRS),
        crs=CRS,
        limits=Limits(**limits),
    )


def kinds(measured) -> list[tuple[int, str]]:
    return [(problem.source_row, problem.kind) for problem in measured.problems]


def test_deviations_are_remeasured_minus_surveyed():
    found = pair(form(at(0, 0.3, -0.4), at(1)))
    first = found.points.iloc[0]
    assert (first["dx_m"], first["dy_m"]) == pytest.approx((0.3, -0.4), abs=1e-6)
    assert first["deviation_m"] == pytest.approx(0.5, abs=1e-6)
    assert (len(found.points), found.unvisited, found.problems) == (2, 28, ())


def test_what_is_wrong_with_rows_is_told_row_by_row_and_not_used():
    found = pair(
        form(
            at(0),
            at(0, 5.0),
            {**at(1), "code": "zz9"},
            at(2, not_found="是"),
            {"code": "c003", "measured_x": str(EAST)},
            {**at(4), "measured_y": "north"},
            {"code": "c005", "not_found": "perhaps"},
            at(6, 5000.0),
            at(7, device_m="0.4"),
            at(8, device_m=0.02),
            {"code": None},
        )
    )
    assert kinds(found) == [
        (3, "repeated"),
        (4, "stranger"),
        (5, "contradictory"),
        (6, "half"),
        (7, "unreadable"),
        (8, "unreadable"),
        (9, "implausible"),
        (10, "imprecise"),
    ]
    assert found.points["code"].tolist() == ["c000", "c006", "c007", "c008"]
    assert found.points["is_gross"].tolist() == [False, True, False, False]
    assert found.points["deviation_m"].iloc[0] == pytest.approx(0, abs=1e-6)  # the first measure


def test_a_rough_device_is_fine_for_a_check_of_equal_accuracy():
    assert kinds(pair(form(at(0, device_m="0.4")))) == [(2, "imprecise")]
    assert kinds(pair(form(at(0, device_m="0.4")), check="equal")) == []


@pytest.mark.parametrize("word", ["是", "1", "YES", "√", "未找到", "１"])
def test_not_found_is_understood(word):
    found = pair(form({"code": "c001", "not_found": word}, at(2, not_found="否")))
    assert found.not_found["code"].tolist() == ["c001"]
    assert found.points["code"].tolist() == ["c002"]


@pytest.mark.parametrize("word", ["无", "没有"])
def test_a_word_that_may_say_that_nothing_is_missing_is_told(word):
    found = pair(form({"code": "c001", "not_found": word}))
    assert found.not_found.empty
    assert kinds(found) == [(2, "unreadable")]


def test_full_width_numbers_are_read():
    x, y = (
        str(value).translate(str.maketrans("0123456789.", "０１２３４５６７８９．"))
        for value in (EAST, NORTH)
    )
    found = pair(form({"code": " c000 ", "measured_x": x, "measured_y": y}))
    assert found.points["deviation_m"].iloc[0] == pytest.approx(0, abs=1e-6)


def test_extra_components_are_counted_beside_others_and_as_rows_of_their_own():
    found = pair(
        form(
            at(0, extra="2"),
            at(1, extra="是"),
            at(2, extra="0"),
            {**at(3), "code": "", "class_code": "0103"},
            {"code": "", "class_code": ""},
        )
    )
    assert found.extra["count"].tolist() == [2, 1, 1]
    assert found.extra["class_code"].tolist()[2] == "0103"
    assert kinds(found) == []


@pytest.mark.parametrize("number", ["1e300", "inf", "nan", "-", "12,5", "五", "1e9"])
def test_numbers_that_are_none_are_told(number):
    found = pair(form(at(0), {"code": "c001", "measured_x": number, "measured_y": str(NORTH)}))
    assert kinds(found) == [(3, "unreadable")]
    assert found.points["code"].tolist() == ["c000"]
    assert kinds(pair(form(at(0, extra="-3"), at(1, device_m="-1")))) == [
        (2, "unreadable"),
        (3, "unreadable"),
    ]


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "code": st.sampled_from(["c000", "c001", "c002", "zz", "", None]),
                "measured_x": st.one_of(st.none(), st.floats(), st.text(max_size=6)),
                "measured_y": st.one_of(st.none(), st.floats(), st.text(max_size=6)),
                "not_found": st.one_of(st.none(), st.sampled_from(["是", "0", "?"])),
                "extra": st.one_of(st.none(), st.text("0123456789.-是", max_size=4)),
            }
        ),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_is_filled_in_is_counted_or_told_never_a_crash(rows):
    found = pair(form(*rows))
    codes = [*found.points["code"], *found.not_found["code"]]
    assert len(codes) == len(set(codes))
    assert len(codes) + found.unvisited == 30
    assert np.isfinite(found.points["deviation_m"].to_numpy(dtype=float)).all()
    as_document(assess(found, Limits()))


def test_of_lines_and_areas_any_point_of_the_outline_counts():
    line = LineString([(EAST, NORTH), (EAST + 100, NORTH)])
    found = pair(form(at(5, 3.0, 0.2)), sample(outline=line))
    assert found.points["deviation_m"].iloc[0] == pytest.approx(0.2)
    assert np.isnan(found.points["dx_m"].iloc[0])
    inside = pair(form(at(5, 0.0, 2.0)), sample(outline=box(EAST, NORTH, EAST + 300, NORTH + 50)))
    assert inside.points["deviation_m"].iloc[0] == pytest.approx(2.0)  # to the border, not zero


def fieldwork_in(crs: str, *, swap: bool = False, count: int = 30) -> Fieldwork:
    """All of the sample re-measured without error, written in another CRS."""
    rows = sample(count)
    x, y = transform_xy(rows["x"], rows["y"], source=CRS, target=crs)
    first, second = (y, x) if swap else (x, y)
    return form(
        *(
            {"code": code, "measured_x": repr(float(a)), "measured_y": repr(float(b))}
            for code, a, b in zip(rows["code"], first, second, strict=True)
        )
    )


@pytest.mark.parametrize(
    ("crs", "swap", "option"),
    [
        (CRS, True, "--swap-xy"),
        ("EPSG:4490", False, "--crs EPSG:4490"),
        ("EPSG:4490", True, "--crs EPSG:4490 --swap-xy"),
        ("GCJ-02", False, "--crs GCJ-02"),
        ("EPSG:4526", False, "--crs EPSG:4526"),  # the same zone with its number before the east
        ("EPSG:4548", False, "--crs EPSG:4548"),
    ],
)
def test_another_reading_is_found_and_named(crs, swap, option):
    with pytest.raises(CrsError, match=option.replace("+", r"\+")) as refused:
        pair(fieldwork_in(crs, swap=swap))
    assert refused.value.zh
    found = pair(fieldwork_in(crs, swap=swap), reading=Reading(crs=crs, is_swapped=swap))
    assert found.points["deviation_m"].max() < 0.02


def test_a_few_points_far_off_are_no_other_reading():
    rows = [at(number) for number in range(20)] + [at(20, 5000.0), at(21, 0.0, -9000.0)]
    found = pair(form(*rows))
    assert [kind for _, kind in kinds(found)] == ["implausible", "implausible"]


def test_points_that_fit_nowhere_are_gross_errors():
    found = pair(form(*(at(number, 3000.0 + number) for number in range(25))))
    assert found.points["is_gross"].all()
    assert assess(found, Limits()).verdict == "fail"


def test_points_of_a_layer_are_in_the_citys_crs_already():
    table = form(at(0, 0.1, in_city_crs=True), at(1, 0.1, in_city_crs=True))
    found = pair(table, reading=Reading(crs="EPSG:4490"))
    assert found.points["deviation_m"].tolist() == pytest.approx([0.1, 0.1], abs=1e-6)


def test_readings_of_nothing_are_not_doubted():
    none = np.array([])
    check_reading((none, none), (none, none), reading=Reading(crs=CRS), target=CRS)
    assert read_points(none, none, Reading(crs=CRS), target=CRS)[0].size == 0


def everything(dx: float, *, count: int = 30, **more: object) -> Fieldwork:
    return form(*(at(number, dx, **more) for number in range(count)))


def test_verdicts():
    assert assess(pair(everything(0.3)), Limits()).verdict == "pass"
    assert assess(pair(everything(0.6)), Limits()).verdict == "fail"
    few = assess(pair(everything(0.3, count=19), sample(19)), Limits())
    assert (few.verdict, few.classes[0].verdict) == ("undecided", "too_few")
    part = assess(pair(everything(0.3, count=23)), Limits())
    assert part.verdict == "undecided"
    assert "Only 23 of 30" in part.reasons[0].en


def test_missing_and_superfluous_components_fail_a_census():
    rows = [at(number) for number in range(27)] + [
        {"code": f"c{number:03d}", "not_found": "是"} for number in (27, 28, 29)
    ]
    found = assess(pair(form(*rows)), Limits())
    assert (found.commission.count, found.commission.of, found.verdict) == (3, 30, "fail")
    extra = assess(pair(everything(0.1, extra="1")), Limits())
    assert (extra.omission.count, extra.omission.of, extra.verdict) == (30, 60, "fail")


def test_the_document_lists_gross_errors_and_problems():
    rows = [at(number) for number in range(29)] + [at(29, 2.0), at(29)]
    told = as_document(assess(pair(form(*rows)), Limits()))
    assert [row["code"] for row in told["gross_errors"]] == ["c029"]
    assert [row["kind"] for row in told["problems"]] == ["repeated"]
    assert told["accuracy_classes"][0]["key"] == "A"
    assert told["verdict"] == "pass"
